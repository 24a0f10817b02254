#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Hold the hot paths to their instructions, by disassembly.

Follows each entry point from its first instruction to the first return, with
every conditional jump not taken: that is the path of a hit. On it there may be
no call, no division, no locked instruction and no loop, and it may be no
longer than the limit. What there is must be what the table says, so that a
change of the hot path is a line in a review and not a surprise.

Usage: fastpath.py LIBRARY TABLE [--update]
"""
import re
import subprocess
import sys

LIMIT = 24
ENTRIES = ['malloc', 'free', '_ZdlPv']
COLUMNS = ['instructions', 'branches', 'loads', 'stores']

INSTRUCTION = re.compile(r'^\s*([0-9a-f]+):\t(.*?)\s*(?:#.*)?$')


def disassemble(library):
    """Every instruction by its address, and every symbol's address."""
    code, symbols = {}, {}
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', library],
                          check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        match = INSTRUCTION.match(line)
        if match:
            code[int(match[1], 16)] = match[2]
    text = subprocess.run(['nm', '-D', '--defined-only', library],
                          check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        address, _, name = line.split()
        symbols[name] = int(address, 16)
    return code, symbols


def operands(instruction):
    """The operands, with the commas inside of brackets left alone."""
    _, _, rest = instruction.partition(' ')
    return [part.strip() for part in re.split(r',(?![^(]*\))', rest) if part]


def count(code, address):
    """What a hit runs from @address to its return, and the faults in it."""
    addresses = sorted(code)
    index = addresses.index(address)
    counts = dict.fromkeys(COLUMNS, 0)
    faults = []
    while True:
        here = addresses[index]
        instruction = code[here]
        name = instruction.split()[0]
        if name.startswith('nop') or name in ('data16', 'cs'):
            index += 1
            continue
        counts['instructions'] += 1
        if name == 'lock' or name.startswith(('xchg', 'cmpxchg')):
            faults.append(f'a locked instruction: {instruction}')
        if name.startswith('call'):
            faults.append(f'a call: {instruction}')
        if re.match(r'i?div', name):
            faults.append(f'a division: {instruction}')
        if name.startswith('ret'):
            return counts, faults
        parts = operands(instruction)
        if name.startswith('j'):
            target = int(parts[0].split()[0], 16)
            if address <= target <= here:
                faults.append(f'a loop: {instruction}')
            if name == 'jmp':
                index = addresses.index(target)
                continue
            counts['branches'] += 1
        elif not name.startswith('lea'):
            memory = [i for i, part in enumerate(parts) if '(' in part]
            written = name.startswith('mov') and memory == [1]
            counts['stores'] += written
            counts['loads'] += len(memory) - written
        index += 1


def main():
    library, table = sys.argv[1:3]
    code, symbols = disassemble(library)
    found, failed = {}, False
    for entry in ENTRIES:
        counts, faults = count(code, symbols[entry])
        if counts['instructions'] > LIMIT:
            faults.append(f"{counts['instructions']} instructions, "
                          f'at most {LIMIT} are allowed')
        for fault in faults:
            print(f'{entry}: {fault}')
        failed |= bool(faults)
        found[entry] = counts
    rows = [' '.join(['entry'.ljust(10)] + COLUMNS)]
    for entry, counts in found.items():
        rows.append(' '.join([entry.ljust(10)] +
                             [str(counts[c]).rjust(len(c)) for c in COLUMNS]))
    text = '\n'.join(rows) + '\n'
    print(text, end='')
    if '--update' in sys.argv:
        open(table, 'w').write(text)
    elif open(table).read() != text:
        print(f'the table in {table} says otherwise:')
        print(open(table).read(), end='')
        print('if that is what you want: run this again with --update')
        failed = True
    sys.exit(failed)


if __name__ == '__main__':
    main()
