# SPDX-License-Identifier: MIT
"""A large C source: hundreds of functions that a compiler has to work on."""
from programs.words import Words

HEADER = '''/* SPDX-License-Identifier: MIT */
struct item { long key; double weight; struct item *next; char tag[12]; };
struct table { struct item *heads[64]; unsigned long count; int last; };
'''
OPERATORS = ('+', '-', '*', '^', '|', '&')


def make_expression(random, depth):
    """An expression of the parameters and locals of any function."""
    if depth == 0 or random.random() < 0.15:
        return random.choice(['a', 'b', 'i', 'sum', 't->count', 't->last',
                              str(random.randint(0, 999))])
    left = make_expression(random, depth - 1)
    right = make_expression(random, depth - 1)
    if random.random() < 0.1:
        return f'({left} > {right} ? {left} : {right})'
    return f'({left} {random.choice(OPERATORS)} {right})'


def make_loop(random, number):
    """A loop: over a list, over numbers, or a switch within one."""
    kind = random.randint(0, 2)
    value = make_expression(random, 3)
    if kind == 0:
        return (f'\tfor (struct item *p = t->heads[{number % 64}]; p; '
                f'p = p->next) {{\n\t\tif (p->key > {value})\n'
                '\t\t\tsum += p->key;\n\t\telse\n\t\t\tp->weight *= '
                f'{random.randint(2, 99)}.5;\n\t}}\n')
    if kind == 1:
        return (f'\tfor (i = 0; i < {random.randint(4, 200)}; i++) {{\n'
                f'\t\tsum = {value};\n\t\tbuffer[i % 32] += sum >> 3;\n\t}}\n')
    cases = ''.join(f'\tcase {label}:\n\t\tsum += '
                    f'{make_expression(random, 2)};\n\t\tbreak;\n'
                    for label in range(random.randint(3, 12)))
    return f'\tswitch (({value}) % 13) {{\n{cases}\tdefault:\n\t\ti++;\n\t}}\n'


def write_function(stream, random, number):
    """Function @number, which calls one of those above it."""
    stream.write(f'\nlong work_{number}(struct table *t, long a, int b)\n'
                 '{\n\tlong buffer[32] = { 0 }, sum = 0;\n\tint i = b;\n\n')
    for _ in range(random.randint(1, 4)):
        stream.write(make_loop(random, number))
    if number:
        stream.write(f'\tif (sum < a)\n\t\tsum += work_'
                     f'{random.randint(max(0, number - 9), number - 1)}'
                     f'(t, {make_expression(random, 2)}, i);\n')
    stream.write('\treturn sum + buffer[a & 31];\n}\n')


def write(stream):
    """Write the source."""
    random = Words('c source')
    stream.write(HEADER)
    for number in range(80):
        write_function(stream, random, number)
