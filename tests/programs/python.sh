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

for module; do
	[[ $module != test_* || -e /usr/lib/python3.11/test/$module.py ||
		-e /usr/lib/python3.11/test/$module ]] || {
		echo "there is no $module"
		exit 1
	}
done

# Each module in a process of its own, as some change the modules of others. A
# case that fails is tried again: some have no more than a second to pass. Of a
# module that crashes there are no cases.
python3 -m test -j 1 -w --timeout 200 --junit-xml "$PWD/results.xml" "$@" \
	>log 2>&1 || tail -n 50 log >&2

# The best outcome of each case, sorted.
python3 - <<'END'
import re
import xml.etree.ElementTree as tree

cases = {}
for case in tree.parse('results.xml').iter('testcase'):
    outcome = case.get('result')
    outcome += ''.join(' ' + part.tag for part in case
                       if part.tag in ('failure', 'error', 'skipped'))
    name = re.sub('0x[0-9a-f]+', '0x', case.get('name'))
    cases[name] = min(outcome, cases.get(name, outcome), key=len)
for name in sorted(cases):
    print(f'{name}: {cases[name]}')
print(len(cases), 'cases')
END
