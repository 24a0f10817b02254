# SPDX-License-Identifier: MIT
"""What a result says: ratios, best peers and means.

Every ratio is ours to theirs, so less than 1 is better, and is taken within
a round: what slows the machine for a while slows both. Its median over the
rounds is what counts.
"""
import statistics

from harness import statistic
from harness.allocators import OURS

#: what rows are compared by, and what tables call it
FIGURES = {'time': 'time', 'cpu_s': 'CPU time', 'peak_kib': 'peak RSS'}
GROUPS = ('micro', 'threads', 'memory', 'trace', 'program')
ALL = 'all rows'
BEST = 'best'


def peers_of(result):
    """The names of the peers, in the order of tables."""
    return [name for name in result['allocators'] if name != OURS]


def groups_of(result):
    """The groups that there are rows of, in the order of tables."""
    there = {row['group'] for row in result['rows']}
    return [group for group in GROUPS if group in there] + \
        sorted(there - set(GROUPS))


def rows_of(result, group=ALL):
    """The rows of a group, or all."""
    return [row for row in result['rows'] if group in (ALL, row['group'])]


def values(row, name, figure):
    """The rounds of one figure under one allocator, or []."""
    return row['allocators'].get(name, {}).get(figure, [])


def median(row, name, figure):
    """Over the rounds, or None where there are none."""
    found = values(row, name, figure)
    return statistics.median(found) if found else None


def ratios(row, peer, figure):
    """Ours to theirs in each round, or [] where there is nothing to
    compare."""
    pairs = list(zip(values(row, OURS, figure), values(row, peer, figure)))
    return [ours / theirs for ours, theirs in pairs] \
        if all(ours and theirs for ours, theirs in pairs) else []


def best_peer(row, peers, figure):
    """The peer that has the lowest median, or None."""
    there = [peer for peer in peers if ratios(row, peer, figure)]
    return min(there, key=lambda peer: median(row, peer, figure),
               default=None)


def ratio(row, peer, figure):
    """The median of ratios(), or None."""
    found = ratios(row, peer, figure)
    return statistics.median(found) if found else None


def against(row, peers, whom, figure):
    """ratios() to a peer, or to the best of @peers where @whom is BEST."""
    peer = best_peer(row, peers, figure) if whom == BEST else whom
    return ratios(row, peer, figure) if peer else []


def mean(rows, peers, whom, figure):
    """The geometric mean over @rows of our ratio to @whom, as an Interval
    over the rounds; None if no row tells."""
    found = [against(row, peers, whom, figure) for row in rows]
    found = [rounds for rounds in found if rounds]
    if not found:
        return None
    rounds = [statistic.geometric_mean(each) for each in zip(*found)]
    middle = statistic.geometric_mean(
        [statistics.median(each) for each in found])
    spread = statistic.interval(rounds)
    return statistic.Interval(middle, min(spread.low, middle),
                              max(spread.high, middle), spread.confidence)


def tally(rows, peers, figure):
    """How many rows are won, even and lost against the best peer of each."""
    counts = {'win': 0, 'even': 0, 'loss': 0}
    for row in rows:
        found = against(row, peers, BEST, figure)
        if found:
            counts[statistic.verdict(found)] += 1
    return counts


def standing(result, names):
    """Where each allocator stands over all rows that all of @names did:
    (geometric mean of time, of peak RSS), in relation to the best of each
    row, so 1 is the best in every row."""
    rows = [row for row in result['rows']
            if all(median(row, name, figure) for name in names
                   for figure in ('time', 'peak_kib'))]
    found = {}
    for name in names:
        found[name] = tuple(
            statistic.geometric_mean(
                [median(row, name, figure) /
                 min(median(row, other, figure) for other in names)
                 for row in rows])
            for figure in ('time', 'peak_kib')) if rows else None
    return found


def pareto_front(points):
    """The names of @points (name: (x, y)) that no other is better than or as
    good as in both, in the order of x."""
    def is_beaten(name):
        x, y = points[name]
        return any(a <= x and b <= y and (a, b) != (x, y)
                   for a, b in points.values())

    return sorted((name for name in points if not is_beaten(name)),
                  key=points.get)
