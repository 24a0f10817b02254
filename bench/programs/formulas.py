# SPDX-License-Identifier: MIT
"""SMT-LIB scripts for a solver: a puzzle, scheduling and bit vectors."""
import random as random_module


def write_schedule(stream, random, jobs, machines):
    """Jobs of several steps; no machine does two of them at once."""
    steps = [(job, machine, random.randint(2, 19))
             for job in range(jobs)
             for machine in random.sample(range(machines), machines)]
    names = [f's{number}' for number in range(len(steps))]
    for name in names:
        stream.write(f'(declare-const {name} Int)\n(assert (>= {name} 0))\n')
    for number, (job, machine, length) in enumerate(steps):
        for other in range(number + 1, len(steps)):
            then, where, duration = steps[other]
            if then == job and other == number + 1:
                stream.write(f'(assert (>= {names[other]} '
                             f'(+ {names[number]} {length})))\n')
            elif where == machine and then != job:
                stream.write(
                    f'(assert (or (>= {names[other]} '
                    f'(+ {names[number]} {length})) '
                    f'(>= {names[number]} (+ {names[other]} {duration}))))\n')
    limit = max(sum(length for _, machine, length in steps
                    if machine == one) for one in range(machines))
    for name, (_, _, length) in zip(names, steps):
        stream.write(f'(assert (<= (+ {name} {length}) '
                     f'{limit + limit // 3}))\n')


def write_bits(stream, random, count):
    """Equations of 16-bit words that a planted solution satisfies."""
    solution = [random.getrandbits(16) for _ in range(count)]
    for number in range(count):
        stream.write(f'(declare-const x{number} (_ BitVec 16))\n')
    for _ in range(count + 4):
        i, j, k = (random.randint(0, count - 1) for _ in range(3))
        result = ((solution[i] ^ solution[j]) + solution[k]) & 0xffff
        stream.write(f'(assert (= (bvadd (bvxor x{i} x{j}) x{k}) '
                     f'#x{result:04x}))\n')


def write_lists(stream, random, count):
    """Uninterpreted functions and quantifiers over them."""
    stream.write('(declare-sort Thing)\n(declare-fun f (Thing Thing) Thing)\n'
                 '(assert (forall ((a Thing) (b Thing)) '
                 '(! (= (f a b) (f b a)) :pattern ((f a b)))))\n')
    for number in range(count):
        stream.write(f'(declare-const t{number} Thing)\n')
    for _ in range(count * 3):
        i, j, k = (random.randint(0, count - 1) for _ in range(3))
        stream.write(f'(assert (= (f t{i} t{j}) (f t{j} t{k})))\n')


def write(stream):
    """Write three problems, one after the other."""
    random = random_module.Random('formulas')
    for problem in (lambda: write_schedule(stream, random, 8, 5),
                    lambda: write_bits(stream, random, 16),
                    lambda: write_lists(stream, random, 60)):
        stream.write('(reset)\n')
        problem()
        stream.write('(check-sat)\n')
