# SPDX-License-Identifier: MIT
"""What a heap holds over time, and what giving memory back costs.

Each program watches itself without allocating, and prints what it found; see
bench/memory/watch.h. Memory of the program's own, for its tables, is not the
allocator's, and taken off everywhere. A row is judged by CPU time: what is
slept costs nothing, and what an allocator leaves to a thread of its own
counts.
"""
import json
import statistics

from harness import meter, row

# What makes an allocator keep what it has: only for the figure that tells
# what returning costs; no row is judged by a run with a setting.
KEEPING = {
    'libslubmalloc': {'SLUBMALLOC': 'retain:64g'},
    'libjemalloc': {'MALLOC_CONF': 'dirty_decay_ms:-1,muzzy_decay_ms:-1'},
    'libmimalloc': {'MIMALLOC_ALLOW_DECOMMIT': '0',
                    'MIMALLOC_PURGE_DELAY': '-1'},
    'libtcmalloc': {'TCMALLOC_RELEASE_RATE': '0'},
    '': {'MALLOC_TRIM_THRESHOLD_': '68719476736',
         'MALLOC_MMAP_MAX_': '0'},
}


def keeping(library):
    """The environment under which @library returns nothing, or None."""
    name = library.rpartition('/')[2].partition('.')[0]
    for start, environment in KEEPING.items():
        if name == start or start and name.startswith(start):
            return environment
    return None


def ratios(curve):
    """The heap over the bytes live, at each point."""
    return [heap / live for _, heap, live in curve if live]


class MemoryRow(row.Row):
    """A program of bench/memory, run once."""
    group = 'memory'

    def __init__(self, name, program, *arguments, unit='s'):
        super().__init__(f'memory/{name}')
        self.program = f'memory_{program}'
        self.arguments = arguments
        self.unit = unit

    def run(self, place, library, environment=None):
        """What the command cost, and what it says of itself."""
        cost = meter.run(place, [place.build / 'bench' / self.program,
                                 *self.arguments],
                         library, environment=environment)
        return cost, json.loads(cost.output.splitlines()[-1])

    def scale(self, ns):
        """Nanoseconds in the row's unit."""
        return ns if self.unit == 'ns' else ns / 1e9

    def figures(self, report):
        """What this row knows beyond time and memory, from its report."""
        return report['figures']

    def measure(self, place, library):
        cost, report = self.run(place, library)
        curve = [tuple(point) for point in report['curve']]
        return row.Measure(
            time=self.scale(report['ns']), wall_s=cost.wall_s,
            cpu_s=cost.cpu_s, peak_kib=cost.peak_kib - report['own_kib'],
            faults=cost.faults, after_kib=self.after(curve), curve=curve,
            extra=self.figures(report))

    def after(self, curve):
        """KiB held when the work is over and freed; None if it isn't."""
        return None


class PhasesRow(MemoryRow):
    """A program whose curve has phases of equally many points."""

    def __init__(self, name, program, phases, *arguments):
        super().__init__(name, program, *arguments, unit='ns')
        self.phases = phases

    def figures(self, report):
        """The heap over live bytes: mean, worst, once steady, by phase.

        All programs start with a phase from an empty heap; its second half
        is steady: the mix is what it always was. Its first points are left
        out of the worst, for a heap of nearly nothing.
        """
        over = ratios(report['curve'])
        length = len(over) // len(self.phases)
        extra = {'mean': statistics.fmean(over),
                 'worst': max(over[length // 2:]),
                 'steady': statistics.median(over[length // 2:length])}
        if len(self.phases) == 1:
            return extra
        for number, phase in enumerate(self.phases):
            part = over[number * length:(number + 1) * length]
            extra[f'mean_{phase}'] = statistics.fmean(part)
        return extra


class BurstRow(MemoryRow):
    """A burst, and how much of its peak is left after two idle seconds."""

    def figures(self, report):
        heap = [point[1] for point in report['curve']]
        return {'left_percent': 100 * heap[-1] / max(heap)}

    def after(self, curve):
        return curve[-1][1]


class BurstsRow(MemoryRow):
    """Bursts one after the other, compared with returning nothing."""

    def figures(self, report):
        heap = [point[1] for point in report['curve']]
        return report['figures'] | {
            'mean_held_percent': 100 * statistics.fmean(heap) / max(heap)}

    def measure(self, place, library):
        measure = super().measure(place, library)
        environment = keeping(library)
        if environment:
            _, report = self.run(place, library, environment)
            measure.extra['over_keeping'] = (
                measure.time / self.scale(report['ns']))
        return measure


class SmallProcessRow(MemoryRow):
    """Many tiny processes for the time, a single one for the memory."""

    def measure(self, place, library):
        cost, report = self.run(place, library)
        once = meter.run(place, [place.build / 'bench' / self.program,
                                 'once'], library)
        return row.Measure(
            time=self.scale(report['ns']), wall_s=cost.wall_s,
            cpu_s=cost.cpu_s, peak_kib=once.peak_kib, faults=once.faults)


class ManyThreadsRow(MemoryRow):
    """Threads that are idle: what is held for what is live."""

    def figures(self, report):
        return {'idle': ratios(report['curve'])[0]}

    def after(self, curve):
        return curve[-1][1]


def rows():
    """All rows of the group."""
    return [
        PhasesRow('fragmentation', 'fragmentation',
                  ('usual', 'shrink', 'small', 'large', 'again', 'drop'),
                  'shifting'),
        PhasesRow('steady/usual', 'fragmentation', ('usual',), 'usual'),
        PhasesRow('steady/small', 'fragmentation', ('small',), 'small'),
        PhasesRow('steady/large', 'fragmentation', ('large',), 'large'),
        PhasesRow('long_server', 'long_server',
                  ('small', 'medium', 'tiny', 'large')),
        BurstRow('burst_idle/small', 'burst_idle', 'small'),
        BurstRow('burst_idle/large', 'burst_idle', 'large'),
        BurstRow('burst_idle/threads', 'burst_idle', 'threads'),
        BurstRow('burst_idle/workers', 'burst_idle', 'workers'),
        BurstsRow('burst_after_burst/close', 'burst_after_burst', 'close'),
        BurstsRow('burst_after_burst/apart', 'burst_after_burst', 'apart'),
        MemoryRow('fork_cow', 'fork_cow'),
        ManyThreadsRow('many_threads', 'many_threads'),
        SmallProcessRow('small_process', 'small_process', 'spawn'),
    ]
