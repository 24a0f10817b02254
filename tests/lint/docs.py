#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documentation that can break, breaks loudly.

usage: docs.py ROOT

In the *.md files:
- a link leads to a file that exists, and to a heading in it;
- `a/path` in one of our folders, `name()` and `struct name` exist. Exempt are
  names of other projects: what follows "kernel's", "Linux's" or "glibc's", the
  columns of tables that are headed so, and the section Sources.

In include/slubmalloc/: every exported function has a kernel-doc comment that
names each argument, and says Return (unless void) and Context. In docs/man/:
every exported function is in the NAME section of one page.
"""
import re
import sys

from tree import find_files, report, strip_comments

OTHERS = r"(kernel|Linux|glibc|libc|libumem|jemalloc|mimalloc|tcmalloc)"
FOLDERS = ('.ci', 'bench', 'docs', 'fuzz', 'include', 'lib', 'preload',
           'tests', 'tools')
EXPORT = re.compile(r'((?:/\*\*(?:[^*]|\*(?!/))*\*/\s*)?)'
                    r'((?:typedef[^;]*;\s*)?)'
                    r'SM_EXPORT\s+([^;]*?)\b(sm_\w+)\s*\(([^;]*)\);', re.S)


def slug(heading):
    """The anchor of a heading, as code forges make it."""
    plain = re.sub(r'[`*]|\[([^\]]*)\]\([^)]*\)', r'\1', heading.strip())
    return re.sub(r'[^\w\- ]', '', plain.lower()).replace(' ', '-')


def check_links(path, name, text):
    """Links within the tree."""
    for target in re.findall(r'\]\(([^)\s]+)\)', strip_code(text)):
        if re.match(r'[a-z]+:', target):
            continue
        file, _, anchor = target.partition('#')
        there = path.parent / file if file else path
        if not there.exists():
            yield f'{name}: the link to {target} leads nowhere'
        elif anchor and there.suffix == '.md' and anchor not in (
                slug(found) for found in
                re.findall(r'^#+ (.*)', there.read_text(), re.M)):
            yield f'{name}: {file} has no heading #{anchor}'


def strip_code(text):
    """Markdown without its blocks of code."""
    return re.sub(r'^```.*?^```', '', text, flags=re.S | re.M)


def own_lines(text):
    """The lines that speak of us, with what is others' taken out."""
    section, foreign = '', set()
    for line in strip_code(text).split('\n'):
        if line.startswith('#'):
            section = line
        if 'Sources' in section:
            continue
        if not line.startswith('|'):
            foreign = set()
            yield re.sub(OTHERS + r"('s)?\s+`[^`]*`", '', line)
            continue
        cells = line.strip('|').split('|')
        if not foreign:
            foreign = {i for i, cell in enumerate(cells)
                       if re.search(OTHERS, cell)} or {None}
        yield '|'.join(cell for i, cell in enumerate(cells)
                       if i not in foreign)


def check_names(root, name, text, source):
    """What is named in backticks."""
    # A name may stand at the end of one line, its owner on the line before.
    prose = re.sub(OTHERS + r"('s)?\s+`[^`]*`", '', '\n'.join(own_lines(text)))
    for token in re.findall(r'`([^`\n]+)`', prose):
        part = re.match(r'\.?/?([\w.-]+)/[\w./-]*$', token)
        if part and part[1] in FOLDERS and 'NNNN' not in token and \
                not (root / token).exists():
            yield f'{name}: {token} does not exist'
        for function in re.findall(r'(?<![\w.])([a-z_]\w+)\(\)', token):
            if not re.search(rf'\b{function}\b', source):
                yield f'{name}: {function}() is in no source'
        for tag in re.findall(r'\bstruct (\w\w+)', token):
            if not re.search(rf'\bstruct {tag}\b', source):
                yield f'{name}: struct {tag} is in no source'


def parameters_of(arguments):
    """The names of the parameters in a declaration."""
    for argument in re.sub(r'\([^()]*\)\s*$', '', arguments).split(','):
        pointer = re.search(r'\(\*(\w+)\)', argument)
        name = pointer or re.search(r'(\w+)\s*(\[\w*\])?\s*$', argument)
        if name and name[1] != 'void':
            yield name[1]


def check_header(name, text, ret_exports):
    """The comments of exported functions, whose names go to @ret_exports."""
    for comment, _, kind, function, arguments in EXPORT.findall(text):
        ret_exports.append(function)
        where = f'{name}: {function}()'
        if not re.search(rf'/\*\*\s+\* {function}\(\) - \S', comment):
            yield f'{where} has no comment that starts with its name'
        for parameter in parameters_of(arguments):
            if f' * @{parameter}:' not in comment:
                yield f'{where}: @{parameter} is not explained'
        if kind.strip() != 'void' and ' * Return:' not in comment:
            yield f'{where}: Return is missing'
        if ' * Context:' not in comment:
            yield f'{where}: Context is missing'


def check_man_pages(root, exports):
    """One page for each exported function."""
    names = []
    for page in find_files(root, 'docs/man/*.[37]'):
        section = re.search(r'^\.SH NAME\n(.*?)^\.SH', page.read_text(),
                            re.S | re.M)
        names += re.findall(r'\bsm_\w+', section[1].split('\\-')[0]
                            if section else '')
    for function in exports:
        if names.count(function) != 1:
            yield (f'docs/man: {function} is in the NAME of '
                   f'{names.count(function)} pages')
    for function in set(names) - set(exports):
        yield f'docs/man: {function} is not exported'


def main():
    root = find_files(sys.argv[1], 'README.md')[0].parent
    pages = find_files(root, '**/*.md')
    headers = find_files(root, 'include/slubmalloc/*.h')
    sources = find_files(root, 'include/**/*.h', 'lib/**/*.[chS]',
                         'preload/*.[chS]', 'tests/**/*.[ch]', 'fuzz/*.[ch]',
                         'bench/**/*.[ch]', 'tools/**/*.[ch]')
    source = strip_comments('\n'.join(path.read_text() for path in sources))
    faults, exports = [], []
    for path in pages:
        name, text = path.relative_to(root), path.read_text()
        faults += check_links(path, name, text)
        faults += check_names(root, name, text, source)
    for path in headers:
        faults += check_header(path.name, path.read_text(), exports)
    if not exports:
        sys.exit('no exported function was found')
    faults += check_man_pages(root, exports)
    report(faults, pages + headers)


main()
