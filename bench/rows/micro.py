# SPDX-License-Identifier: MIT
"""Single functions of malloc, in one thread.

Nobody waits here, so a row is judged by the CPU time of the process: other
programs on the machine disturb that less, and whatever an allocator leaves
to a thread of its own is in it.
"""
from harness import benchmark

# By name: how many operations callgrind counts. Where most of the work is the
# kernel's or libc's memset there is nothing to learn from counting.
ROWS = {
    'pair/8': 100_000,
    'pair/64': 100_000,
    'pair/512': 100_000,
    'pair/4096': 100_000,
    'pair/32768': 100_000,
    'pair/262144': 20_000,
    'pair/1048576': 5_000,
    'pair/8388608': 1_000,
    'pair/67108864': 1_000,
    'pair/mixed': 200_000,
    'pair/written/1048576': None,
    'pair/written/8388608': None,
    'pair/written/67108864': None,
    'burst/in_order/64': 64 * 2_000,
    'burst/in_order/10000': 10_000 * 20,
    'burst/reverse/64': 64 * 2_000,
    'burst/reverse/10000': 10_000 * 20,
    'fifo/1024': 200_000,
    'fifo/16384': 200_000,
    'replace/same/128': 200_000,
    'replace/same/100000': 200_000,
    'replace/same/1000000': 1_000_000,
    'replace/mixed/128': 200_000,
    'replace/mixed/100000': 200_000,
    'replace/mixed/1000000': 1_000_000,
    'calloc/64': 100_000,
    'calloc/4096': 20_000,
    'calloc/262144': None,
    'calloc/4194304': None,
    'calloc/sparse/4194304': None,
    'realloc/double': None,
    'realloc/steps': 4096 * 10,
    'aligned/64': 100_000,
    'aligned/4096': 100_000,
    'sized/128': 200_000,
    'used/filled': 200_000,
    'used/cold': None,
    'used/list': 50_000 * 4,
}


class MicroRow(benchmark.BenchmarkRow):
    """A function of bench_micro."""
    group = 'micro'
    program = 'bench_micro'
    clock = 'cpu_time'


def rows():
    return [MicroRow(name, operations) for name, operations in ROWS.items()]
