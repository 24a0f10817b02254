# SPDX-License-Identifier: MIT
"""Instructions that an operation costs, counted by callgrind.

A program is counted twice, with fewer and with more operations; the difference
is theirs alone, since start and end cancel out. Such counts repeat, so they
are kept: a count is looked up by what the program and the library contain.

valgrind knows no restartable sequences. slubmalloc uses them where the kernel
has them, so what is counted of it here is its other path, which is longer.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil

from harness import meter

TOOL = ('valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null')
NOTE = ('Instructions are counted under valgrind, which has no restartable '
        'sequences: those of slubmalloc are of the path that it takes where '
        'the kernel has none. tests/fastpath/golden.txt has the native one.')


def available():
    """Whether there is a valgrind."""
    return shutil.which(TOOL[0]) is not None


class Counter:
    """Counts, and remembers what it counted in @place.work."""

    def __init__(self, place):
        self._place = place
        self._path = place.work / 'callgrind.json'
        try:
            self._known = json.loads(self._path.read_text())
        except (OSError, ValueError):
            self._known = {}

    def count(self, row, allocator):
        """Instructions of an operation of @row, or None if it has none to
        count."""
        command = row.counted_command(self._place)
        if command is None:
            return None
        fewer, more, operations = command
        key = self._key(fewer, more, operations, allocator)
        if key not in self._known:
            self._known[key] = round(
                (self._run(more, allocator) - self._run(fewer, allocator))
                / operations, 2)
            self._save()
        return self._known[key]

    def _key(self, fewer, more, operations, allocator):
        digest = hashlib.sha256()
        digest.update(pathlib.Path(fewer[0]).read_bytes())
        for word in (*fewer[1:], *more[1:], operations, allocator.digest()):
            digest.update(str(word).encode() + b'\0')
        return digest.hexdigest()[:24]

    def _run(self, arguments, allocator):
        """All instructions of one run."""
        report = self._place.work / 'callgrind.log'
        meter.run(self._place, [*TOOL, f'--log-file={report}', *arguments],
                  allocator.library)
        found = re.search(r'Collected\s*:\s*(\d+)', report.read_text())
        if not found:
            raise meter.Failed(f'{row_name(arguments)}: callgrind counted '
                               'nothing')
        return int(found[1])

    def _save(self):
        draft = self._path.with_suffix('.new')
        draft.write_text(json.dumps(self._known, indent=1, sort_keys=True))
        os.replace(draft, self._path)


def row_name(arguments):
    """What a message calls a command."""
    return ' '.join(str(word) for word in arguments)
