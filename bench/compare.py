#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run a benchmark program under every allocator, round by round.

Usage: compare.py PROGRAM LIBRARY [--rounds N] [--seconds S]

Prints, for each benchmark, the median time of an operation under each
allocator, the range of its rounds, and the median of ours in relation to it
within each round, so that what slows the whole machine cancels out.
"""
import argparse
import glob
import json
import os
import statistics
import subprocess

PEERS = {'mimalloc': 'libmimalloc.so.*', 'jemalloc': 'libjemalloc.so.*',
         'tcmalloc': 'libtcmalloc_minimal.so.*'}


def find_peers():
    """The installed peers; glibc is the absence of any."""
    found = {'glibc': ''}
    for name, pattern in PEERS.items():
        paths = sorted(glob.glob(f'/usr/lib/*-linux-gnu/{pattern}'))
        if paths:
            found[name] = paths[-1]
    return found


def run(program, library, seconds):
    """Nanoseconds of CPU time an operation, by benchmark."""
    environment = dict(os.environ, LD_PRELOAD=library)
    result = subprocess.run(
        [program, '--benchmark_format=json',
         f'--benchmark_min_time={seconds}'],
        check=True, capture_output=True, text=True, env=environment)
    return {row['name']: row['cpu_time']
            for row in json.loads(result.stdout)['benchmarks']}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('program')
    parser.add_argument('library')
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--seconds', type=float, default=0.3)
    arguments = parser.parse_args()
    allocators = {'slubmalloc': os.path.realpath(arguments.library)}
    allocators.update(find_peers())
    rounds = [{name: run(arguments.program, library, arguments.seconds)
               for name, library in allocators.items()}
              for _ in range(arguments.rounds)]
    for row in rounds[0]['slubmalloc']:
        print(row)
        for name in allocators:
            times = [one[name][row] for one in rounds]
            print(f'  {name:<12}{statistics.median(times):8.2f} ns'
                  f'  ({min(times):.2f} to {max(times):.2f})', end='')
            ratios = [one['slubmalloc'][row] / one[name][row]
                      for one in rounds]
            print('' if name == 'slubmalloc' else
                  f'  slubmalloc / {name}: {statistics.median(ratios):.2f}')


if __name__ == '__main__':
    main()
