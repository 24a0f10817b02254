# SPDX-License-Identifier: MIT
"""Rows that are a function in a program on Google Benchmark (shim.h)."""
import json

from harness import meter, row


class BenchmarkRow(row.Row):
    """One row of a program: "micro/pair/64" is its "pair/64".

    ``operations`` are those that callgrind counts, in addition to as many
    that it leaves out: enough for the allocator's steady state, a multiple
    of the row's bursts, and few, since callgrind is slow. None: not counted.
    """
    unit = 'ns'
    program = ''    # in the build's bench/
    clock = ''      # what the row is judged by: 'real_time' or 'cpu_time'

    def __init__(self, name, operations=None):
        super().__init__(f'{self.group}/{name}')
        self._function = name
        self._operations = operations

    def _command(self, place, *arguments):
        """The program with this row only. Google Benchmark appends the
        number of operations to the names of its functions."""
        return [str(place.build / 'bench' / self.program),
                f'--benchmark_filter=^{self._function}/iterations:',
                *arguments]

    def measure(self, place, library):
        command = self._command(place, '--benchmark_format=json')
        cost = meter.run(place, command, library)
        report, = json.loads(cost.output)['benchmarks']
        return row.Measure(
            time=report[self.clock], wall_s=cost.wall_s, cpu_s=cost.cpu_s,
            peak_kib=cost.peak_kib, faults=cost.faults,
            after_kib=round(report['after_kib']),
            extra={'real_ns': report['real_time'],
                   'cpu_ns': report['cpu_time']})

    def counted_command(self, place):
        if self._operations is None:
            return None
        few, more = (self._command(place, f'--operations={operations}')
                     for operations in (self._operations,
                                        2 * self._operations))
        return few, more, self._operations
