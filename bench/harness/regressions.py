# SPDX-License-Identifier: MIT
"""What got better or worse between two results.

The results may come from different days and machines, so what is compared is
our ratio to the peers that both have: in each round the geometric mean of the
ratios to them.
"""
import dataclasses

from harness import analysis, statistic

FIGURES = ('time', 'peak_kib')


@dataclasses.dataclass(frozen=True)
class Change:
    """How one figure of a row moved."""
    row: str
    figure: str     # as analysis.FIGURES calls it
    interval: statistic.Interval    # of after / before
    kind: str       # win, loss or even


def _to_peers(row, peers, figure):
    """Round by round, the mean of our ratios to @peers."""
    found = [analysis.ratios(row, peer, figure) for peer in peers]
    return [statistic.geometric_mean(rounds)
            for rounds in zip(*(each for each in found if each))]


def find(before, after):
    """Every Change of a row that both results have, losses first."""
    peers = [peer for peer in analysis.peers_of(after)
             if peer in analysis.peers_of(before)]
    old_rows = {row['name']: row for row in before['rows']}
    changes = []
    for row in after['rows']:
        for figure in FIGURES:
            both = [_to_peers(each, peers, figure)
                    for each in (old_rows.get(row['name']), row) if each]
            if len(both) == 2 and all(both):
                changes.append(Change(row['name'], analysis.FIGURES[figure],
                                      statistic.change(*both),
                                      statistic.change_verdict(*both)))
    order = ('loss', 'win', 'even')
    return sorted(changes, key=lambda change: (
        order.index(change.kind), -change.interval.median))
