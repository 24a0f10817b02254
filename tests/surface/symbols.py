#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Look at the finished library: what it exports, needs and promises.

usage: symbols.py LIBRARY MAP
"""
import re
import subprocess
import sys

# Groups A to E and H of what a replacement of glibc's malloc has to have.
FAMILY = """
malloc calloc realloc free aligned_alloc memalign posix_memalign valloc pvalloc
malloc_usable_size free_sized free_aligned_sized cfree malloc_get_state
malloc_set_state mallopt mallinfo mallinfo2 malloc_info malloc_stats malloc_trim
__libc_malloc __libc_calloc __libc_realloc __libc_free __libc_memalign
__libc_valloc __libc_pvalloc __libc_cfree __posix_memalign __libc_mallopt
__libc_mallinfo __libc_free_sized __libc_free_aligned_sized
_Znwm _Znam _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t _ZnwmSt11align_val_t
_ZnamSt11align_val_t _ZnwmSt11align_val_tRKSt9nothrow_t
_ZnamSt11align_val_tRKSt9nothrow_t _ZdlPv _ZdaPv _ZdlPvm _ZdaPvm
_ZdlPvRKSt9nothrow_t _ZdaPvRKSt9nothrow_t _ZdlPvSt11align_val_t
_ZdaPvSt11align_val_t _ZdlPvmSt11align_val_t _ZdaPvmSt11align_val_t
_ZdlPvSt11align_val_tRKSt9nothrow_t _ZdaPvSt11align_val_tRKSt9nothrow_t
""".split()

# Nothing may stand between these names and the function that does the work.
SAME = {
    "malloc": "sm_malloc", "free": "sm_free", "calloc": "sm_calloc",
    "realloc": "sm_realloc", "cfree": "sm_free", "__libc_malloc": "sm_malloc",
    "__libc_free": "sm_free", "_ZdlPv": "sm_free",
    "malloc_usable_size": "sm_usable_size",
}

number = 0
failed = 0


def check(claim, problems):
    global number, failed
    number += 1
    for problem in problems:
        print("#", problem)
    failed += bool(problems)
    print(f"{'not ' if problems else ''}ok {number} - {claim}")


def output(*command):
    return subprocess.run(command, check=True, text=True,
                          capture_output=True).stdout


def mapped_names(path):
    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
    text = text[text.index("global:") + 7:text.index("local:")]
    return {name for name in re.findall(r"[\w*]+", text)}


def main():
    library, version_map = sys.argv[1:]
    symbols = {}
    sizes = {}
    for line in output("readelf", "--dyn-syms", "-W", library).splitlines():
        _, address, size, kind, binding, _, section, name = \
            (line.split() + 8 * [""])[:8]
        if section.isdigit():
            symbols[name] = (address, f"{binding} {kind}")
            sizes[name] = int(size, 0)
    mapped = mapped_names(version_map)

    check("every_function_of_the_family_is_there",
          [name for name in FAMILY if name not in symbols])
    check("every_export_is_in_the_map",
          [name for name in symbols if name not in mapped
           and not (name.startswith("sm_") and "sm_*" in mapped)])
    check("everything_in_the_map_is_exported",
          [name for name in mapped if "*" not in name and name not in symbols])
    check("no_export_has_a_version",
          [name for name in symbols if "@" in name])
    check("every_export_is_a_strong_function",
          [f"{name} is {kind}" for name, (_, kind) in symbols.items()
           if kind != "GLOBAL FUNC"])
    # A profiler or a checker ignores functions that have none.
    check("every_export_has_a_size",
          [name for name, size in sizes.items() if size == 0])
    check("the_common_names_are_the_sm_functions",
          [f"{name} is not {target}" for name, target in SAME.items()
           if symbols[name] != symbols[target]])

    dynamic = output("readelf", "-dW", library)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    check("libc_is_all_that_is_needed",
          [] if needed == ["libc.so.6"] else needed)
    check("the_soname_is_stable",
          [] if "[libslubmalloc.so.0]" in dynamic else ["another soname"])
    flags = " ".join(re.findall(r"\(FLAGS(?:_1)?\)(.*)", dynamic))
    check("it_is_bound_at_once_and_never_unloaded",
          [flag for flag in ("NOW", "NODELETE") if flag not in flags])

    segments = output("readelf", "-lW", library)
    tls = [int(line.split()[5], 16) for line in segments.splitlines()
           if line.split()[:1] == ["TLS"]]
    check("at_most_64_bytes_of_thread_local_storage",
          [f"{size} bytes" for size in tls if size > 64])
    check("relocated_data_becomes_read_only",
          [] if "GNU_RELRO" in segments else ["no GNU_RELRO"])
    check("the_stack_is_not_executable",
          [line for line in segments.splitlines()
           if "GNU_STACK" in line and "RWE" in line])

    relocations = output("readelf", "-rW", library)
    check("thread_locals_are_reached_without_a_call",
          [line for line in relocations.splitlines()
           if "DTPMOD" in line or "TLSDESC" in line])
    check("nothing_is_resolved_by_a_function_at_load_time",
          [line for line in relocations.splitlines() if "IRELATIV" in line])

    print(f"1..{number}\n# {number - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
