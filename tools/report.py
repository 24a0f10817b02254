# SPDX-License-Identifier: MIT
"""Run tools/workload.py on glibc's malloc and on slubmalloc, and compare.

usage: report.py LIBRARY
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

DOCUMENTS = 12000
ROUNDS = 2
WORKLOAD = pathlib.Path(__file__).with_name('workload.py')
MIB = 2 ** 20


def run_once(library, stats):
    """(seconds, seconds of CPU, bytes at the peak, output) of one run."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('LD_PRELOAD', 'MALLOC_ARENA_MAX')}
    environment['PYTHONMALLOC'] = 'malloc'
    environment['PYTHONHASHSEED'] = '0'
    environment['WORKLOAD_STATS_FD'] = str(stats.fileno())
    if library:
        environment['LD_PRELOAD'] = library
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, WORKLOAD, str(DOCUMENTS)], stdout=output,
            env=environment, pass_fds=[stats.fileno()])
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if child.returncode:
        sys.exit(f'the workload ended with status {child.returncode}')
    return (seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024,
            text)


def measure(library):
    """Both allocators in turn; the best of each, and the counters of ours."""
    results = {'glibc': [], 'slubmalloc': []}
    with tempfile.TemporaryFile() as stats:
        for _ in range(ROUNDS):
            results['glibc'].append(run_once(None, stats))
            stats.truncate(0)
            stats.seek(0)
            results['slubmalloc'].append(run_once(library, stats))
        stats.seek(0)
        counters = {key: int(value) for key, value in
                    (line.split() for line in stats.read().decode().split('\n')
                     if line)}
    best = {name: [min(run[i] for run in runs) for i in range(3)]
            for name, runs in results.items()}
    outputs = {run[3] for runs in results.values() for run in runs}
    return best, outputs, counters


def print_comparison(best, outputs):
    """The two allocators side by side."""
    print(f'{"":16}{"glibc":>12}{"slubmalloc":>12}')
    for i, (what, unit, scale) in enumerate([
            ('wall time', 's', 1), ('CPU time', 's', 1),
            ('peak memory', 'MiB', MIB)]):
        glibc, ours = best['glibc'][i], best['slubmalloc'][i]
        print(f'{what:16}{glibc / scale:8.2f} {unit:3}'
              f'{ours / scale:8.2f} {unit:3}{(ours / glibc - 1) * 100:+8.0f} %')
    print(f'{"output":16}{"same" if len(outputs) == 1 else "DIFFERENT":>12}')


def print_layers(counters):
    """Where the memory was when there was most of it."""
    page = counters['page_size']
    rows = [
        ('slab', 'live objects', counters['slab_live'],
         f'{counters["slab_objects"]:,} in {counters["slabs"]:,} slabs'),
        ('', 'at hand', counters['slab_cached'],
         'free, in per-CPU arrays and barns'),
        ('', 'in slabs', counters['slab_free'], 'free, between live ones'),
        ('page', 'runs', counters['run_pages'] * page,
         f'blocks of 32 KiB to 1 MiB: {counters["runs"]:,}'),
        ('', 'free', counters['free_pages'] * page,
         f'{counters["free_dirty_pages"] * page / MIB:.1f} MiB of it was used '
         'before'),
        ('', 'at hand', counters['cached_pages'] * page,
         'in per-CPU page lists'),
        ('', 'own', counters['meta_pages'] * page, 'descriptors and lists'),
        ('vma', 'mappings', counters['mapped'],
         f'blocks above 1 MiB: {counters["mappings"]:,}'),
        ('', 'kept', counters['mapped_cached'], 'freed, to be used again'),
        ('arena', 'below break', counters['committed'],
         f'of {counters["reserved"] / 2 ** 30:,.0f} GiB of addresses'),
    ]
    print('\nAt its peak, by layer:')
    for layer, what, size, note in rows:
        print(f'  {layer:8}{what:14}{size / MIB:8.1f} MiB   {note}')
    print('\nUp to then:')
    for count, what in [
            (counters['refills'], 'batches of objects went from slabs to CPUs'),
            (counters['flushes'], 'batches came back'),
            (counters['barn_gets'], 'full sheaves came out of barns'),
            (counters['run_allocs'], 'runs were allocated'),
            (counters['mapping_allocs'], 'mappings were allocated'),
            (counters['returned'] // MIB, 'MiB went back to the system')]:
        print(f'  {count:11,} {what}')


def main():
    version = '.'.join(str(part) for part in sys.version_info[:3])
    print(f'Python {version} indexes {DOCUMENTS:,} documents, every object of '
          f'it from malloc;\nbest of {ROUNDS} runs each:\n', flush=True)
    best, outputs, counters = measure(sys.argv[1])
    print_comparison(best, outputs)
    print_layers(counters)
    if len(outputs) != 1:
        sys.exit('the outputs differ')


main()
