# SPDX-License-Identifier: MIT
"""Medians, their intervals, and when a difference is one.

Nothing here assumes a distribution. The interval of a median is bounded by
two of the values themselves: the k-th smallest and the k-th largest enclose
the true median unless fewer than k of n values fell on one side of it, and how
probable that is, is a matter of n tosses of a coin.
"""
import dataclasses
import math
import statistics

CONFIDENCE = 0.95
NOISE_FLOOR = 0.01      # no difference below 1 % is called one
MAD_TO_SIGMA = 1.4826   # for values that are normally distributed


@dataclasses.dataclass(frozen=True)
class Interval:
    """A median and what encloses it."""
    median: float
    low: float
    high: float
    confidence: float   # that the true median is within; 0.95 or more if it
                        # can be had from as many values


def _confidence(count, rank):
    """That the @rank-th smallest and largest of @count enclose the median."""
    outside = sum(math.comb(count, i) for i in range(rank))
    return 1 - 2 * outside / 2 ** count


def interval(values):
    """The median of @values and the narrowest interval that has CONFIDENCE,
    or all of their range where that is not enough."""
    ordered = sorted(values)
    count = len(ordered)
    rank = 1
    while rank < (count + 1) // 2 and \
            _confidence(count, rank + 1) >= CONFIDENCE:
        rank += 1
    return Interval(statistics.median(ordered), ordered[rank - 1],
                    ordered[-rank], _confidence(count, rank))


def noise(values):
    """The relative scatter of @values, robustly, and at least the floor."""
    middle = statistics.median(values)
    spread = statistics.median(abs(value - middle) for value in values)
    return max(NOISE_FLOOR, MAD_TO_SIGMA * spread / middle)


def verdict(ratios):
    """'win' if these ratios are below 1, 'loss' if above, else 'even'.

    A difference is one if the interval of the ratios' median excludes 1 and
    the median is further from it than the ratios scatter. From too few rounds
    for CONFIDENCE nothing follows.
    """
    found = interval(ratios)
    if found.confidence < CONFIDENCE or \
            abs(found.median - 1) <= noise(ratios):
        return 'even'
    if found.high < 1:
        return 'win'
    return 'loss' if found.low > 1 else 'even'


def change(before, after):
    """How ratios moved between two runs, as an Interval of after / before.

    The runs have no rounds in common, so the interval is the widest that the
    two intervals allow.
    """
    old, new = interval(before), interval(after)
    return Interval(new.median / old.median, new.low / old.high,
                    new.high / old.low, min(old.confidence, new.confidence))


def change_verdict(before, after):
    """'win' if @after is below @before, 'loss' if above, else 'even'."""
    found = change(before, after)
    limit = math.hypot(noise(before), noise(after))
    if found.confidence < CONFIDENCE or abs(found.median - 1) <= limit:
        return 'even'
    if found.high < 1:
        return 'win'
    return 'loss' if found.low > 1 else 'even'


def geometric_mean(values):
    """Of ratios: no row counts more for being slower or larger."""
    return math.exp(math.fsum(math.log(value) for value in values)
                    / len(values))
