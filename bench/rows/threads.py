# SPDX-License-Identifier: MIT
"""Many threads at once.

What counts is when the last one is done: a row is judged by the time on the
wall for one operation of all threads together, so that twice the throughput
is half the time.
"""
import os

from harness import benchmark

# By name: with how many threads.
ROWS = {
    'churn': (1, 2, 4, 8, 64),
    'distinct': (1, 2, 4, 8, 16, 32, 64),
    'queue': (2, 8, 64),
    'fan': (4, 64),
    'funnel': (4, 64),
    'ring': (2, 8, 64),
    'spawn': (1, 8),
    'server': (1, 2, 8, 64),
    'sharing/active': (2, 8),
    'sharing/passive': (2, 8),
}


class ThreadRow(benchmark.BenchmarkRow):
    """A function of bench_threads."""
    group = 'threads'
    program = 'bench_threads'
    clock = 'real_time'


def rows():
    return [ThreadRow(f'{name}/{threads}')
            for name, counts in ROWS.items() for threads in counts]
