# SPDX-License-Identifier: MIT
"""Count what meson's test logs say, and end with "N passed, N failed".

usage: tally.py FAILED [DIRECTORY...]

FAILED is a number of failures that no log knows, such as a build that failed.
Of a test that speaks TAP every point counts, of any other the test.
"""
import json
import pathlib
import re
import sys

POINT = re.compile(r'^(not )?ok\b[^#\n]*(# *(SKIP|TODO))?', re.I | re.M)


def count(test):
    """(passed, failed, skipped) of one test."""
    if test['result'] == 'SKIP':
        return 0, 0, 1
    bad = test['result'] not in ('OK', 'EXPECTEDFAIL')
    points = POINT.findall(test.get('stdout', ''))
    if not points or not re.search(r'^1\.\.\d+', test['stdout'], re.M):
        return (0, 1, 0) if bad else (1, 0, 0)
    skipped = sum(mark.upper() == 'SKIP' for _, _, mark in points)
    failed = sum(bool(no) and not mark for no, _, mark in points)
    passed = len(points) - failed - skipped
    return passed, max(failed, int(bad)), skipped


def main():
    passed, failed, skipped = 0, int(sys.argv[1]), []
    failures = []
    for directory in sys.argv[2:]:
        logs = pathlib.Path(directory, 'meson-logs').glob('testlog*.json')
        for line in (line for log in logs
                     for line in log.read_text().splitlines() if line):
            test = json.loads(line)
            good, bad, left_out = count(test)
            passed += good
            failed += bad
            name = f'{directory}: {test["name"]}'
            if left_out:
                skipped.append(f'{name} ({left_out} of '
                               f'{good + bad + left_out})')
            failures += [f'{name} ({test["result"]})'] * bool(bad)
    for name in skipped:
        print('skipped:', name)
    for name in failures:
        print('FAILED: ', name)
    if not passed and not failed:
        print('no test was run')
        failed = 1
    print(f'{passed} passed, {failed} failed')
    sys.exit(bool(failed))


main()
