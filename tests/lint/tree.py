# SPDX-License-Identifier: MIT
"""What the lint tests share: the files of the tree, and how to fail."""
import pathlib
import re
import sys


def find_files(root, *patterns):
    """The files of the tree that match; finding none is a failure."""
    found = sorted({path for pattern in patterns
                    for path in pathlib.Path(root).glob(pattern)
                    if not re.search(r'(^|/)(build[^/]*|\.git)/',
                                     path.relative_to(root).as_posix())})
    if not found:
        sys.exit(f'no file matches {patterns}: the test looks at nothing')
    return found


def strip_comments(text):
    """C source without its comments; lines stay where they are."""
    return re.sub(r'/\*.*?\*/|//[^\n]*',
                  lambda match: '\n' * match[0].count('\n'), text,
                  flags=re.S)


def report(faults, looked_at):
    """Say what is wrong and end."""
    for fault in faults:
        print(fault)
    print(f'{len(looked_at)} files, {len(faults)} faults')
    sys.exit(bool(faults))
