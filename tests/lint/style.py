#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What clang-format can't see: how files begin, how long functions are.

usage: style.py ROOT
"""
import re
import statistics
import sys

from tree import find_files, report

LINES_MAX = 60  # of a function, its braces included
DEPTH_MAX = 4  # of braces in a function, its own included
PARAMETERS_MAX = 7  # a system call has six and its number
LINE_MAX = 80  # columns, a tab being 8


def functions_of(text):
    """(name, first line, lines, depth, parameters) of each function.

    Formatted C has the brace of a function, and no other, in column 0.
    """
    lines = text.split('\n')
    for start, line in enumerate(lines):
        if line != '{':
            continue
        end = lines.index('}', start)
        body = '\n'.join(lines[start:end + 1])
        body = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'|/\*.*?\*/', '',
                      body, flags=re.S)
        depth = deepest = 0
        for char in body:
            depth += (char == '{') - (char == '}')
            deepest = max(deepest, depth)
        head = start - 1
        while head > 0 and re.match(r'[\s]', lines[head]):
            head -= 1
        signature = ' '.join(lines[head:start])
        name = re.search(r'(\w+)\s*\(', signature)
        commas = signature.count(',')
        yield (name[1] if name else signature, start + 1, end - start + 1,
               deepest, commas + 1)


def check_beginning(name, text):
    """A file says its licence, then in a sentence what it does."""
    first, second = (text.split('\n') + [''])[:2]
    if first != '/* SPDX-License-Identifier: MIT */':
        yield f'{name}:1: no SPDX line'
    comment = re.match(r'/\*(.*?)\*/', text[len(first) + 1:], re.S)
    if not comment or not re.search(r'[.:]\s', comment[1] + ' '):
        yield f'{name}:2: no sentence on what the file does: {second}'


def check_functions(name, text, lengths):
    """The limits of every function; adds the lengths to @lengths."""
    for function, line, count, depth, parameters in functions_of(text):
        lengths.append(count)
        if count > LINES_MAX:
            yield f'{name}:{line}: {function}() has {count} lines'
        if depth > DEPTH_MAX:
            yield f'{name}:{line}: {function}() nests {depth} deep'
        if parameters > PARAMETERS_MAX:
            yield f'{name}:{line}: {function}() has {parameters} parameters'


def check_lines(name, text):
    """What holds for lines of every kind of file."""
    for number, line in enumerate(text.split('\n'), 1):
        width = LINE_MAX + 20 * (name.name == 'meson.build')
        if len(line.expandtabs(8)) > width and 'http' not in line:
            yield f'{name}:{number}: wider than {width} columns'
        if line != line.rstrip():
            yield f'{name}:{number}: blanks at the end'
        if re.search(r'(#|//|\*) *(TODO|FIXME|XXX)\b', line):
            yield f'{name}:{number}: a note to oneself'
    if text and (not text.endswith('\n') or text.endswith('\n\n')):
        yield f'{name}: does not end in one newline'


def main():
    root = sys.argv[1]
    sources = find_files(root, 'lib/**/*.[ch]', 'preload/*.[ch]',
                         'include/**/*.h', 'tests/**/*.[ch]', 'fuzz/*.[ch]',
                         'bench/**/*.[ch]', 'tools/**/*.[ch]', 'tests/**/*.cc')
    others = find_files(root, 'lib/**/*.S', 'preload/*.S', 'preload/*.sh',
                        '**/*.py', 'tests/**/*.sh', '**/meson.build')
    faults, lengths = [], []
    for path in sources:
        name, text = path.relative_to(root), path.read_text()
        faults += check_beginning(name, text)
        faults += check_lines(name, text)
        faults += check_functions(name, text,
                                  lengths if name.parts[0] == 'lib' else [])
    for path in others:
        if path.name != 'style.py':
            faults += check_lines(path.relative_to(root), path.read_text())
    print(f'{len(lengths)} functions in lib/, median '
          f'{statistics.median(lengths):.0f} lines, longest {max(lengths)}')
    report(faults, sources + others)


main()
