# SPDX-License-Identifier: MIT
"""What real programs ask of malloc, and nothing else of them.

Each row replays a recorded trace, with the threads that the program had; see
bench/traces/README.md for what was recorded and docs/design/traces.md for
what a replay does. The memory is that of the heap: what the replay itself
holds, its copy of the trace, is taken off.
"""
import json
import pathlib

from harness import meter
from harness.row import Measure, Row

FOLDER = pathlib.Path(__file__).parent.parent / 'traces'
SUFFIX = '.trace.xz'

# How often each is replayed, to take some tenths of a second.
REPEATS = {'cc1': 5, 'clang': 3, 'git': 10, 'jq': 4, 'perl': 10, 'python': 6,
           'redis': 4, 'ruby': 6, 'sqlite3': 8, 'z3': 4}
PARALLEL = {'git', 'redis', 'z3'}   # have several threads


class Trace(Row):
    """A file of bench/traces, replayed."""
    group = 'trace'
    unit = 'ns'

    def __init__(self, path):
        self.trace = path.name.removesuffix(SUFFIX)
        super().__init__(f'trace/{self.trace}')
        self.path = path

    @property
    def pinned(self):
        return self.trace not in PARALLEL

    def measure(self, place, library):
        cost = meter.run(place, [place.build / 'bench' / 'replay', '--repeat',
                                 str(REPEATS.get(self.trace, 1)), self.path],
                         library)
        report = json.loads(cost.output.splitlines()[-1])
        return Measure(
            time=report['ns'], wall_s=cost.wall_s, cpu_s=cost.cpu_s,
            peak_kib=report['peak_kib'], faults=cost.faults,
            after_kib=report['after_kib'],
            extra={name: report[name]
                   for name in ('calls', 'threads', 'peak_live_kib')})


def rows():
    """A row for each trace of the folder."""
    return [Trace(path) for path in sorted(FOLDER.glob(f'*{SUFFIX}'))]
