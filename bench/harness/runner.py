# SPDX-License-Identifier: MIT
"""Runs the rows: round by round, every allocator in each.

Round 0 does not count. It warms caches up, tells how long the rest will take,
and has every process tell whose malloc it got. In the others allocators take
turns at being first, so that none profits from its place.
"""
import dataclasses
import os
import sys
import time

from harness import allocators as allocators_
from harness import meter, results

QUIET_S = 30    # between lines of progress where there is no terminal


class Progress:
    """What is done and how long the rest will take, on standard error."""

    def __init__(self, stream=sys.stderr):
        self._stream = stream
        self._terminal = stream.isatty()
        self._last = 0.0

    def show(self, text):
        """Replace the line; without a terminal, a line now and then."""
        if self._terminal:
            width = os.get_terminal_size(self._stream.fileno()).columns
            self._stream.write(f'\r\033[K{text[:width - 1]}')
        elif time.monotonic() - self._last > QUIET_S:
            self._last = time.monotonic()
            self._stream.write(text + '\n')
        self._stream.flush()

    def say(self, text):
        """A line that stays."""
        if self._terminal:
            self._stream.write('\r\033[K')
        self._stream.write(text + '\n')
        self._stream.flush()

    def clear(self):
        """Nothing more to show."""
        if self._terminal:
            self._stream.write('\r\033[K')
            self._stream.flush()


def duration(seconds):
    """'40 s', '12 min' or '3 h 05 min'."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f'{seconds:.0f} s'
    if minutes < 100:
        return f'{minutes} min'
    return f'{minutes // 60} h {minutes % 60:02} min'


class Runner:
    """Measures @rows under @allocators and keeps it in @journal."""

    def __init__(self, place, rows, allocators, journal, progress):
        self._place = place
        self._rows = rows
        self._allocators = allocators
        self._journal = journal
        self._progress = progress
        self._took = {}     # (row, allocator): seconds of one run

    def prepare(self):
        """Make what rows need."""
        for row in self._rows:
            self._progress.show(f'preparing {row.name}')
            row.prepare(self._place)

    def run(self, rounds):
        """Round 0, then as many as asked for."""
        for entry in self._journal.entries.values():
            self._learn(entry)
        self._run_round(0, rounds)
        left = self._seconds_left(1, rounds)
        if left:
            self._progress.say(
                f'rows: {len(self._rows)}, allocators: '
                f'{len(self._allocators)}, rounds: {rounds}; '
                f'about {duration(left)}')
        for number in range(1, rounds + 1):
            self._run_round(number, rounds)
        self._progress.clear()

    def _run_round(self, number, rounds):
        for i, row in enumerate(self._rows):
            names = list(self._allocators)
            first = (number + i) % len(names)
            for name in names[first:] + names[:first]:
                if (number, row.name, name) in self._journal.entries or \
                        self._has_failed(row, name):
                    continue
                self._tell(number, rounds, row, name)
                self._measure(number, row, self._allocators[name])

    def _has_failed(self, row, name):
        return any('failed' in entry
                   for (_, row_name, allocator), entry
                   in self._journal.entries.items()
                   if (row_name, allocator) == (row.name, name))

    def _tell(self, number, rounds, row, name):
        what = f'round {number}/{rounds}' if number else 'warming up'
        left = self._seconds_left(number, rounds)
        self._progress.show(f'{what}  {row.name}  {name}' + (
            f'  {duration(left)} left' if number and left else ''))

    def _seconds_left(self, number, rounds):
        """Of this round and those to come, as far as is known."""
        done = self._journal.entries
        return sum(seconds for (row, name), seconds in self._took.items()
                   for i in range(number, rounds + 1)
                   if (i, row, name) not in done)

    def _measure(self, number, row, allocator):
        place = self._place_for(row)
        start = time.monotonic()
        try:
            if number:
                measure = row.measure(place, allocator.library)
            else:
                measure = self._measure_witnessed(place, row, allocator)
            entry = results.entry_of(measure)
        except (meter.Failed, allocators_.NotThere) as error:
            entry = {'failed': str(error)}
            self._progress.say(f'{row.name} under {allocator.name}: {error}')
        entry['took_s'] = round(time.monotonic() - start, 3)
        self._journal.add(number, row.name, allocator.name, entry)
        self._learn(self._journal.entries[number, row.name, allocator.name])

    def _measure_witnessed(self, place, row, allocator):
        with meter.witnessed(place) as told:
            measure = row.measure(place, allocator.library)
        allocators_.check_witness(allocator, told, row.name)
        return measure

    def _place_for(self, row):
        """A row with a single thread gets a single CPU: the last, since
        the first one has most of the interrupts."""
        if not row.pinned:
            return self._place
        return dataclasses.replace(self._place, cpus=self._place.cpus[-1:])

    def _learn(self, entry):
        if 'failed' in entry:
            self._took.pop((entry['row'], entry['allocator']), None)
        else:
            self._took[entry['row'], entry['allocator']] = entry['took_s']

    def count(self, counter):
        """Instructions of an operation, by row and allocator."""
        found = {}
        for row in self._rows:
            for allocator in self._allocators.values():
                if self._has_failed(row, allocator.name):
                    continue
                self._progress.show(f'counting instructions  {row.name}  '
                                    f'{allocator.name}')
                try:
                    count = counter.count(row, allocator)
                except meter.Failed as error:
                    self._progress.say(f'{row.name} under {allocator.name}, '
                                       f'counting: {error}')
                    continue
                if count is not None:
                    found[row.name, allocator.name] = count
        self._progress.clear()
        return found

    def rows(self, rounds, counts):
        """What the result file has of the rows."""
        found = []
        for row in self._rows:
            cells = {}
            for name in self._allocators:
                entries = [self._journal.entries[number, row.name, name]
                           for number in range(rounds + 1)
                           if (number, row.name, name)
                           in self._journal.entries]
                entries = [entry for entry in entries
                           if entry['round'] or 'failed' in entry]
                cells[name] = results.collect(entries)
                if (row.name, name) in counts:
                    cells[name]['instructions'] = counts[row.name, name]
            found.append({'name': row.name, 'group': row.group,
                          'unit': row.unit, 'allocators': cells})
        return found
