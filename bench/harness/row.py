# SPDX-License-Identifier: MIT
"""A row of the comparison: one piece of work, measured under any allocator."""
import dataclasses
import pathlib


@dataclasses.dataclass
class Measure:
    """What one run of a row under one allocator cost.

    ``time`` is what the row is judged by, in the row's unit; less is better.
    A curve has points (seconds, RSS in KiB, live KiB or None). What a row
    knows beyond that goes to ``extra``, by name.
    """
    time: float
    wall_s: float
    cpu_s: float
    peak_kib: int
    faults: int
    after_kib: int | None = None
    curve: list = dataclasses.field(default_factory=list)
    extra: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where things are while rows run."""
    build: pathlib.Path     # the build directory
    work: pathlib.Path      # generated inputs and scratch files; kept
    cpus: tuple             # the CPUs that rows may use


class Row:
    """One piece of work.

    A subclass says in ``prepare()`` which inputs it needs, made once and
    the same everywhere, and in ``measure()`` how to run it once.
    """
    group = ''              # micro, threads, memory, trace or program
    unit = 's'              # of Measure.time: 's' or 'ns' (an operation)

    def __init__(self, name):
        self.name = name    # unique; "micro/pair/64"

    @property
    def pinned(self):
        """Whether to hold it to one CPU: it has a single thread, which would
        only lose its caches by moving."""
        return self.group == 'micro'

    def missing(self):
        """Why this row can't run here (a program is not there), or None."""
        return None

    def prepare(self, place):
        """Make the inputs; nothing to do where they are already."""

    def measure(self, place, library):
        """Run once with @library preloaded ('' for libc's own malloc)."""
        raise NotImplementedError

    def counted_command(self, place):
        """What callgrind is to count: (arguments with few operations,
        arguments with more, how many more), or None."""
        return None
