# SPDX-License-Identifier: MIT
"""Results: the journal of a run that may be interrupted, and the file that
it becomes; bench/README.md has the file's format."""
import dataclasses
import datetime
import json
import os

FORMAT = 'slubmalloc-bench 1'
MEASURED = ('time', 'wall_s', 'cpu_s', 'peak_kib', 'after_kib', 'faults')
CURVE_POINTS = 200
DIGITS = 5


class Unusable(Exception):
    """A file that can't be what it should."""


def now():
    """The time of day, as results have it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime(
        '%Y-%m-%d %H:%M UTC')


def shorten(value):
    """A number with as many digits as mean something."""
    if not isinstance(value, float):
        return value
    short = float(f'{value:.{DIGITS}g}')
    return int(short) if short.is_integer() else short


def thin(curve):
    """So many points of a curve as a picture can show."""
    step = max(1, -(-len(curve) // CURVE_POINTS))
    points = curve[::step]
    if curve and points[-1] != curve[-1]:
        points = points + curve[-1:]
    return [[shorten(value) for value in point] for point in points]


class Journal:
    """What has been measured so far: a line of JSON each, written at once.

    The first line says of what. A run whose journal is there goes on where
    that ends; what failed, or was cut off, is measured again.
    """

    def __init__(self, path, subject):
        self.path = path
        self.started = now()
        self.entries = {}   # (round, row, allocator): what was measured
        path.parent.mkdir(parents=True, exist_ok=True)
        known = path.exists() and self._read(subject)
        self._file = open(path, 'a' if known else 'w')
        if not known:
            self._write({'started': self.started, 'subject': subject})

    def _read(self, subject):
        """Take up what is there; whether there is anything."""
        text = self.path.read_text()
        whole = text[:text.rfind('\n') + 1]
        if not whole:
            return False
        try:
            first, *lines = [json.loads(line) for line in whole.splitlines()]
            was, self.started = first['subject'], first['started']
            self.entries = {
                (line['round'], line['row'], line['allocator']): line
                for line in lines if 'failed' not in line}
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise Unusable(f'{self.path}: not a journal of compare') \
                from error
        different = ', '.join(key for key in subject
                              if was.get(key) != subject[key])
        if different:
            raise Unusable(f'{self.path} is an unfinished run with other '
                           f'{different}; to forget it, say --fresh')
        os.truncate(self.path, len(whole.encode()))
        return True

    def add(self, number, row, allocator, entry):
        """Keep @entry as what was measured in round @number."""
        line = {'round': number, 'row': row, 'allocator': allocator} | entry
        self.entries[number, row, allocator] = line
        self._write(line)

    def _write(self, line):
        self._file.write(json.dumps(line) + '\n')
        self._file.flush()

    def close(self):
        self._file.close()

    def remove(self):
        """The result has been written: the journal has done its work."""
        self.close()
        self.path.unlink()


def entry_of(measure):
    """A row.Measure as the journal keeps it."""
    fields = dataclasses.asdict(measure)
    fields['curve'] = thin(fields['curve'])
    fields['extra'] = {key: shorten(value)
                       for key, value in fields['extra'].items()}
    return {'measure': {key: shorten(value)
                        for key, value in fields.items()}}


def collect(entries):
    """The rounds of one row under one allocator, as the result has them."""
    cell = {}
    measures = [entry['measure'] for entry in entries if 'measure' in entry]
    failures = [entry['failed'] for entry in entries if 'failed' in entry]
    if failures:
        return {'failed': failures[0]}
    for key in MEASURED:
        values = [measure[key] for measure in measures]
        if None not in values:
            cell[key] = values
    names = [name for measure in measures[:1] for name in measure['extra']]
    if names:
        cell['extra'] = {name: [measure['extra'].get(name)
                                for measure in measures] for name in names}
    curves = [measure['curve'] for measure in measures]
    if any(curves):
        # of the round whose peak is in the middle
        order = sorted(range(len(measures)),
                       key=lambda i: measures[i]['peak_kib'])
        cell['curve'] = curves[order[len(order) // 2]]
    return cell


def dump(result):
    """The result as text: a line for each allocator of each row, so that
    what changed can be seen in a diff."""
    head = {key: value for key, value in result.items() if key != 'rows'}
    lines = json.dumps(head, indent=1)[:-2] + ',\n "rows": [\n'
    rows = []
    for row in result['rows']:
        facts = {key: value for key, value in row.items()
                 if key != 'allocators'}
        cells = ',\n'.join(f'   {json.dumps(name)}: {json.dumps(cell)}'
                           for name, cell in row['allocators'].items())
        rows.append(f'  {json.dumps(facts)[:-1]}, "allocators": {{\n'
                    f'{cells}}}}}')
    return lines + ',\n'.join(rows) + ']\n}\n'


def save(result, path):
    """Write the file, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + '.new')
    draft.write_text(dump(result))
    draft.replace(path)


def load(path):
    """Read a result file."""
    try:
        result = json.loads(path.read_text())
    except OSError as error:
        raise Unusable(f'{path}: {error.strerror}') from error
    except ValueError as error:
        raise Unusable(f'{path}: not JSON: {error}') from error
    if not isinstance(result, dict) or result.get('format') != FORMAT:
        raise Unusable(f'{path}: not a result file of the format "{FORMAT}"')
    return result
