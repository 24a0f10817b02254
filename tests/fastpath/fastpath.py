#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Hold the hot paths to their number of instructions.

Disassembles the preload library and follows each function as it runs when all
goes well: no conditional jump is taken, tail jumps are followed, and the first
return ends it. What is found on the way is counted and compared with the
golden table beside this file; and malloc and free, by all their names, must
keep the promises below whatever the table says.

    fastpath.py LIBRARY [--compiler NAME-VERSION] [--update]
"""
import argparse
import difflib
import pathlib
import re
import subprocess
import sys

GOLDEN = pathlib.Path(__file__).with_name('golden.txt')
SKIPPED = 77  # meson's exit status for it
INSTRUCTIONS_MAX = 24
STEPS_MAX = 500  # a path so long is none

# The hot paths, and what the table calls them. The first group is bound by the
# promises: no call, division, loop or lock, and few instructions. The second
# may have one more, since they are a jump to one of the first.
BOUND = {
    'malloc': 'malloc',
    'free': 'free',
    'cfree': 'cfree',
    'sm_malloc': 'sm_malloc',
    'sm_free': 'sm_free',
    '_ZdlPv': 'delete',
    '_ZdlPvSt11align_val_t': 'delete, aligned',
}
JUMPS = {
    'free_sized': 'free_sized',
    'free_aligned_sized': 'free_aligned_sized',
    '_ZdlPvm': 'delete, sized',
}
COUNTED = {
    'calloc': 'calloc',
    'aligned_alloc': 'aligned_alloc',
    'posix_memalign': 'posix_memalign',
    'realloc': 'realloc, in place',
    'malloc_usable_size': 'malloc_usable_size',
    '_Znwm': 'new',
    '_Znam': 'new[]',
    '_ZdaPv': 'delete[]',
    '_ZdaPvm': 'delete[], sized',
    'sm_alloc': 'sm_alloc',
    'sm_cache_alloc': 'sm_cache_alloc',
    'sm_cache_free': 'sm_cache_free',
}
COLUMNS = ('instructions', 'calls', 'divisions', 'loops', 'locks', 'branches',
           'loads', 'stores')

MEMORY = re.compile(r'(%fs:|-?0x[0-9a-f]+)?\([^)]*\)|%fs:\S+')
# Instructions that only read the last operand of the AT&T order.
READS_LAST = re.compile(r'(cmp|test|push|mul|imul|div|idiv|jmp|call|bt\b)')


def run(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def read_symbols(library):
    """Name to address, of all that is exported."""
    symbols = {}
    for line in run('nm', '-D', '--defined-only', library).splitlines():
        address, _, name = line.split()[:3]
        symbols[name.split('@')[0]] = int(address, 16)
    return symbols


def read_slots(library, symbols):
    """Address of a slot that the dynamic linker fills to its target here."""
    slots = {}
    for line in run('readelf', '-rW', library).splitlines():
        match = re.match(r'([0-9a-f]{8,})\s+\S+\s+(R_X86_64_\w+)\s+(.*)', line)
        if not match:
            continue
        slot, kind, rest = match.groups()
        if kind == 'R_X86_64_RELATIVE':
            slots[int(slot, 16)] = int(rest.split()[-1], 16)
        elif kind in ('R_X86_64_GLOB_DAT', 'R_X86_64_JUMP_SLOT'):
            name = rest.split()[1].split('@')[0]
            if name in symbols:
                slots[int(slot, 16)] = symbols[name]
    return slots


def read_code(library):
    """Address to (mnemonic, operands, address of the next instruction)."""
    code, last = {}, None
    for line in run('objdump', '-d', '--no-show-raw-insn', '-M',
                    'att', library).splitlines():
        match = re.match(r'\s*([0-9a-f]+):\s+(\S.*)', line)
        if not match:
            continue
        address, text = int(match.group(1), 16), match.group(2)
        words = text.split(None, 1)
        while words[0] in ('lock', 'rep', 'repz', 'repnz', 'addr32', 'rex.W',
                           'data16', 'cs', 'notrack', 'bnd') and \
                len(words) > 1:
            prefix, rest = words[0], words[1].split(None, 1)
            words = rest if prefix != 'lock' else \
                ['lock_' + rest[0]] + rest[1:]
        operands = words[1] if len(words) > 1 else ''
        if last is not None:
            code[last] = code[last][:2] + (address,)
        code[address] = (words[0], operands, None)
        last = address
    return code


def jump_target(operands, slots):
    """Where a jump or call goes, or None if it can't be told."""
    match = re.match(r'([0-9a-f]+)\b', operands)
    if match:
        return int(match.group(1), 16)
    match = re.match(r'\*.*\(%rip\)\s+#\s+([0-9a-f]+)', operands)
    return slots.get(int(match.group(1), 16)) if match else None


def split_operands(operands):
    return re.findall(r'(?:[^,(]|\([^)]*\))+',
                      operands.split('#')[0].split('<')[0].strip())


def count_accesses(mnemonic, operands):
    """(loads, stores) of one instruction."""
    if mnemonic.startswith(('lea', 'nop', 'j', 'call', 'ret')):
        return 0, 0
    if mnemonic.startswith('push'):
        return 0, 1
    if mnemonic.startswith('pop'):
        return 1, 0
    parts = split_operands(operands)
    if not any(MEMORY.search(part) for part in parts):
        return 0, 0
    if not MEMORY.search(parts[-1]) or READS_LAST.match(mnemonic):
        return 1, 0
    return (0, 1) if mnemonic.startswith(('mov', 'set')) else (1, 1)


def follow(start, code, slots):
    """Count what is on the hot path from @start to its return."""
    counts = dict.fromkeys(COLUMNS, 0)
    address, seen = start, set()
    for _ in range(STEPS_MAX):
        if address not in code:
            return None
        mnemonic, operands, following = code[address]
        seen.add(address)
        counts['instructions'] += 1
        counts['locks'] += mnemonic.startswith('lock_') or \
            mnemonic.startswith('xchg') and '(' in operands
        counts['divisions'] += 'div' in mnemonic
        loads, stores = count_accesses(mnemonic, operands)
        counts['loads'] += loads
        counts['stores'] += stores
        if mnemonic.startswith('ret'):
            return counts
        if mnemonic.startswith('call'):
            counts['calls'] += 1
        if mnemonic.startswith('j'):
            target = jump_target(operands, slots)
            counts['loops'] += target in seen
            counts['branches'] += mnemonic != 'jmp'
            if mnemonic == 'jmp':
                if target is None:  # libc's, which is a call in disguise
                    counts['calls'] += 1
                    return counts
                following = target
        address = following
    return None


def table(rows, compiler):
    lines = [f'# The hot paths of the release build by {compiler};'
             ' see fastpath.py.',
             f'{"":20}' + ''.join(f'{name:>13}' for name in COLUMNS)]
    lines += [f'{name:20}' + ''.join(f'{counts[column]:13}'
                                     for column in COLUMNS)
              for name, counts in rows]
    return [line + '\n' for line in lines]


def broken_promises(name, counts, most):
    for column in ('calls', 'divisions', 'loops', 'locks'):
        if counts[column]:
            yield f'{name}: {counts[column]} {column} on the hot path'
    if counts['instructions'] > most:
        yield (f'{name}: {counts["instructions"]} instructions, '
               f'{most} are allowed')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('library')
    parser.add_argument('--compiler', default='gcc-12')
    parser.add_argument('--skip', help='why there is nothing to compare')
    parser.add_argument('--update', action='store_true')
    options = parser.parse_args()
    if options.skip:
        print('skipped:', options.skip)
        return SKIPPED

    symbols = read_symbols(options.library)
    slots = read_slots(options.library, symbols)
    code = read_code(options.library)
    rows, complaints = [], []
    for name, label in {**BOUND, **JUMPS, **COUNTED}.items():
        counts = follow(symbols[name], code, slots)
        if counts is None:
            complaints.append(f'{label}: its hot path has no end')
            continue
        rows.append((label, counts))
        if name not in COUNTED:
            complaints += broken_promises(
                label, counts, INSTRUCTIONS_MAX + (name in JUMPS))

    found = table(rows, options.compiler)
    if options.update:
        GOLDEN.write_text(''.join(found))
    golden = GOLDEN.read_text().splitlines(keepends=True)
    if golden[0] != found[0]:
        print(f'the table is not compared, it says: {golden[0].strip()}')
    elif golden != found:
        sys.stdout.writelines(difflib.unified_diff(
            golden, found, 'golden.txt', 'this build'))
        complaints.append(
            'the hot paths have changed; if that is meant to be:\n'
            f'    {sys.argv[0]} {options.library} '
            f'--compiler {options.compiler} --update')
    print('\n'.join(complaints) or ''.join(found), end='')
    print()
    return bool(complaints)


if __name__ == '__main__':
    sys.exit(main())
