#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The architecture as a test: who includes whom.

usage: layering.py ROOT LAYER...

The layers come bottom first. A layer may include its own files and the one
header, LAYER/LAYER.h, of any layer below; what is around the layers may not
look into them: the public headers include each other, and preload/ and the
programs of tests/programs/ and tests/surface/ the public headers. Only os/ and
base/panic.c make system calls.
"""
import re
import sys

from tree import find_files, report, strip_comments

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
CALL = re.compile(r'\b(syscall|mmap|munmap|mremap|madvise|mprotect|sbrk|brk'
                  r'|futex|open|openat|read|write|close|getrandom|prctl'
                  r'|sched_getcpu|sched_yield|usleep|nanosleep)\s*\(')


def check_layer_file(path, name, layers):
    """The faults of one file of a layer."""
    here, text = name.parts[1], strip_comments(path.read_text())
    if here not in layers:
        yield f'{name}: {here} is not in the list of layers'
        return
    for quote, target in INCLUDE.findall(text):
        layer, _, header = target.rpartition('/')
        if quote == '<':
            continue
        if layer not in layers:
            yield f'{name}: "{target}" is in no layer'
        elif layers.index(layer) > layers.index(here):
            yield f'{name}: {here} must not look up to {layer}'
        elif layer != here and header != f'{layer}.h':
            yield f'{name}: "{target}" is private to {layer}'
    if here != 'os' and name.as_posix() != 'lib/base/panic.c':
        for call in CALL.findall(text):
            yield f'{name}: the system call {call}() belongs into lib/os'


def check_outer_file(path, name):
    """The faults of a file that may use nothing but the public headers."""
    for quote, target in INCLUDE.findall(path.read_text()):
        if quote == '"' and '/' in target:
            yield f'{name}: "{target}" is not for the outside'
        if name.parts[0] == 'include' and quote == '"':
            yield f'{name}: "{target}": public headers are <slubmalloc/...>'


def main():
    root, layers = sys.argv[1], sys.argv[2:]
    if not layers:
        sys.exit('no layers are named')
    inner = find_files(root, 'lib/**/*.[chS]')
    outer = [file for folder in ('include/slubmalloc', 'preload',
                                 'tests/programs', 'tests/surface')
             for file in find_files(root, f'{folder}/*.[chS]')]
    faults = []
    for path in inner:
        faults += check_layer_file(path, path.relative_to(root), layers)
    for path in outer:
        faults += check_outer_file(path, path.relative_to(root))
    missing = set(layers) - {path.relative_to(root).parts[1] for path in inner}
    faults += [f'lib/{layer} has no files' for layer in sorted(missing)]
    report(faults, inner + outer)


main()
