# SPDX-License-Identifier: MIT
"""What slubmalloc set out to reach, and whether a result shows it."""
import dataclasses
import statistics

from harness import analysis, statistic
from harness.allocators import OURS

REACHED = 'reached'
NEARLY = 'within the noise'
MISSED = 'not reached'
UNKNOWN = 'not measured'
HANDING_OVER = ('threads/queue/', 'threads/fan/', 'threads/funnel/')
SHOWN = 4   # rows that are named where a figure is missed


@dataclasses.dataclass(frozen=True)
class Score:
    """One line of the card."""
    what: str
    figure: str     # what was to be reached
    found: str
    status: str


def _judge(rounds, limit):
    """How the median of @rounds stands to @limit."""
    found = statistic.interval(rounds)
    if found.median <= limit:
        return REACHED
    if found.low <= limit or \
            found.median / limit - 1 <= statistic.noise(rounds):
        return NEARLY
    return MISSED


def _each(what, figure, found, limit):
    """Every one of @found, as (name, rounds), is at most @limit."""
    found = [(name, rounds) for name, rounds in found if rounds]
    if not found:
        return Score(what, figure, '', UNKNOWN)
    ranked = sorted(((statistics.median(rounds), name,
                      _judge(rounds, limit)) for name, rounds in found),
                    reverse=True)
    above = [entry for entry in ranked if entry[2] == MISSED]
    status = MISSED if above else \
        NEARLY if any(entry[2] == NEARLY for entry in ranked) else REACHED
    text = f'{len(ranked) - len(above)} of {len(ranked)} do; '
    named = above[:SHOWN] or ranked[:1]
    text += 'worst ' + ', '.join(f'{name} {value:.2f}'
                                 for value, name, _ in named)
    if len(above) > SHOWN:
        text += ', …'
    return Score(what, figure, text, status)


def _mean(what, figure, rows, peers, whom, limit, what_of='time'):
    """The geometric mean to each of @whom is at most @limit."""
    found = {name: analysis.mean(rows, peers, name, what_of)
             for name in whom}
    found = {name: mean for name, mean in found.items() if mean}
    if not found:
        return Score(what, figure, '', UNKNOWN)
    text = ', '.join(f'{mean.median:.2f} × {name}'
                     for name, mean in found.items())
    worst = max(found.values(), key=lambda mean: mean.median)
    status = REACHED if worst.median <= limit else \
        NEARLY if worst.low <= limit else MISSED
    return Score(what, figure, text, status)


def _to_best(rows, peers, figure='time'):
    return [(row['name'], analysis.against(row, peers, analysis.BEST, figure))
            for row in rows]


def _speed(result, peers):
    micro, threads, programs = (analysis.rows_of(result, group) for group in
                                ('micro', 'threads', 'program'))
    handing = [row for row in threads if row['name'].startswith(HANDING_OVER)]
    yield _each('single-thread micro rows', 'each ≤ 1.00 × the best peer',
                _to_best(micro, peers), 1)
    yield _mean('', 'geometric mean ≤ 0.85 × mimalloc', micro, peers,
                ['mimalloc'], 0.85)
    yield _each('thread rows', 'each ≤ 1.00 × the best peer',
                _to_best(threads, peers), 1)
    yield _each('', 'producer/consumer ≤ 0.70 × the best peer',
                _to_best(handing, peers), 0.7)
    yield _each('real programs', 'each ≤ 1.02 × the best peer',
                _to_best(programs, peers), 1.02)
    yield _mean('', 'geometric mean ahead of every peer', programs, peers,
                peers, 1)
    yield _mean('all rows, time',
                'geometric mean ≤ 0.90 × that of the best peer',
                result['rows'], peers, peers, 0.9)


def _size(result, peers):
    yield _mean('all rows, peak RSS', 'geometric mean ≤ 1.00 × that of the '
                'smallest peer', result['rows'], peers, peers, 1, 'peak_kib')
    yield _each('', 'each ≤ 1.30 × the smallest peer',
                _to_best(result['rows'], peers, 'peak_kib'), 1.3)


def _named(result, prefix):
    return [row for row in result['rows'] if row['name'].startswith(prefix)]


def _extra(row, name, key):
    found = row['allocators'].get(name, {}).get('extra', {}).get(key) or []
    return found if None not in found else []


def _memory_over_time(result, peers):
    steady = [(row['name'], _extra(row, OURS, 'steady'))
              for row in _named(result, 'memory/')]
    yield _each('fragmentation', 'RSS over live bytes ≤ 1.15 while the mix '
                'is steady', steady, 1.15)
    yield _each('', 'mean over the shifting curve ≤ 0.80 × the best peer',
                [(row['name'], _to_best_extra(row, peers, 'mean'))
                 for row in _named(result, 'memory/fragmentation')], 0.8)
    yield _each('RSS two seconds after a burst', 'below every peer',
                [(row['name'], analysis.against(row, peers, analysis.BEST,
                                                'after_kib'))
                 for row in _named(result, 'memory/burst_idle/')], 1)
    yield _each('', 'burst after burst ≤ 1.05 × without returning',
                [(row['name'], _extra(row, OURS, 'over_keeping'))
                 for row in _named(result, 'memory/burst_after_burst/')],
                1.05)


def _to_best_extra(row, peers, key):
    """Our figure to that of the peer that has the lowest, by round."""
    theirs = [rounds for rounds in
              (_extra(row, peer, key) for peer in peers) if rounds]
    best = min(theirs, key=statistics.median, default=[])
    return [one / other for one, other in zip(_extra(row, OURS, key), best)]


def _scaling(result):
    """Throughput of a thread where there is one for each CPU, to that of one
    alone: the time is that of an operation of all threads together."""
    cores = len(result['machine']['cpus_used'])
    what = f'scaling, 1 → {cores} threads, distinct sizes'
    figure = 'throughput per thread ≥ 0.95 × that of one'
    rows = {row['name']: row for row in result['rows']}
    alone = rows.get('threads/distinct/1')
    all_of_them = rows.get(f'threads/distinct/{cores}')
    if not (alone and all_of_them):
        return Score(what, figure, '', UNKNOWN)
    # less is better everywhere else: so it is looked at as a slow-down
    rounds = [cores * many / one for one, many in
              zip(analysis.values(alone, OURS, 'time'),
                  analysis.values(all_of_them, OURS, 'time'))]
    if not rounds:
        return Score(what, figure, '', UNKNOWN)
    return Score(what, figure, f'{1 / statistics.median(rounds):.2f}',
                 _judge(rounds, 1 / 0.95))


def score(result):
    """The card: a Score for each figure, in order."""
    peers = analysis.peers_of(result)
    return [*_speed(result, peers), *_size(result, peers),
            *_memory_over_time(result, peers), _scaling(result)]
