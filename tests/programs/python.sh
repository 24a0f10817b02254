#!/bin/bash
# SPDX-License-Identifier: MIT
# A part of CPython's own test suite: the outcome of every test case.
#
#	python.sh ALLOCATOR MODULE...
#
# ALLOCATOR is python's: "pymalloc" takes small objects from arenas of its own,
# "malloc" takes all of them from malloc.
set -euo pipefail

export PYTHONMALLOC=$1
shift

python3 -m test --timeout 200 --junit-xml "$PWD/results.xml" "$@" \
	>log 2>&1 || { status=$?; tail -n 50 log >&2; echo "status $status"; }

# The outcomes, sorted; the files of a test name the process that made them.
python3 - <<'END'
import re
import xml.etree.ElementTree as tree

cases = []
for case in tree.parse('results.xml').iter('testcase'):
    outcome = case.get('result')
    outcome += ''.join(' ' + part.tag for part in case
                       if part.tag in ('failure', 'error', 'skipped'))
    cases.append(re.sub('0x[0-9a-f]+', '0x', f'{case.get("name")}: {outcome}'))
print('\n'.join(sorted(cases)))
print(len(cases), 'cases')
END
