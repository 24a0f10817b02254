# SPDX-License-Identifier: MIT
"""A result as tables for the terminal."""
import textwrap

from harness import analysis, callgrind, scorecard, statistic
from harness.allocators import OURS

MARKS = {'win': '+', 'loss': '-', 'even': ' '}
COLOURS = {'win': '\033[32m', 'loss': '\033[31m', 'even': ''}
PLAIN = '\033[0m'
BOLD = '\033[1m'
LEGEND = """\
Ratios are slubmalloc's to the other's: below 1 is better. + a win, - a loss,
neither where the difference is not beyond the noise. "best" is the peer that
is best in the row. "after": RSS when the work has been freed."""


class Painter:
    """Text with colours, or without where there is no terminal."""

    def __init__(self, coloured):
        self._coloured = coloured

    def ratio(self, rounds, width):
        """A ratio with its mark, or a dash."""
        if not rounds:
            return '-'.rjust(width - 1) + ' '
        kind = statistic.verdict(rounds)
        text = show_ratio(statistic.interval(rounds).median).rjust(width - 1)
        return self._paint(COLOURS[kind], text + MARKS[kind])

    def head(self, text):
        """A heading."""
        return self._paint(BOLD, text)

    def _paint(self, colour, text):
        return f'{colour}{text}{PLAIN}' if colour and self._coloured else text


def show_ratio(value):
    """Two digits after the point, fewer where they say nothing."""
    if value < 10:
        return f'{value:.2f}'
    return f'{value:.1f}' if value < 100 else f'{value:.0f}'


def show_time(value, unit):
    """'3.21 ns', '812 us', '1.35 s'."""
    seconds = value * (1e-9 if unit == 'ns' else 1)
    for scale, name in ((1, 's'), (1e-3, 'ms'), (1e-6, 'us'), (1e-9, 'ns')):
        if seconds >= scale or name == 'ns':
            number = seconds / scale
            break
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return f'{number:.{digits}f} {name}'


def show_kib(kib):
    """'812 K', '13.5 M', '1.20 G'."""
    if kib < 1000:
        return f'{kib:.0f} K'
    mib = kib / 1024
    if mib < 1000:
        return f'{mib:.{1 if mib < 100 else 0}f} M'
    return f'{mib / 1024:.2f} G'


def scatter(rounds):
    """How far the rounds lie apart: half of the interval, in per cent."""
    found = statistic.interval(rounds)
    return f'{50 * (found.high - found.low) / found.median:.0f}'


def _row_line(row, peers, painter, name_width):
    times = analysis.values(row, OURS, 'time')
    if not times:
        reason = row['allocators'].get(OURS, {}).get('failed', 'not run')
        return f'{row["name"]:{name_width}} {reason.splitlines()[0]}'
    line = (f'{row["name"]:{name_width}}'
            f'{show_time(analysis.median(row, OURS, "time"), row["unit"]):>9}'
            f'{scatter(times):>4}')
    for whom in [*peers, analysis.BEST]:
        line += painter.ratio(analysis.against(row, peers, whom, 'time'), 9)
    for figure in ('peak_kib', 'after_kib'):
        own = analysis.median(row, OURS, figure)
        line += f'{show_kib(own) if own else "-":>9}'
        line += painter.ratio(
            analysis.against(row, peers, analysis.BEST, figure), 7)
    count = row['allocators'][OURS].get('instructions')
    return line + (f'{count:>7.0f}' if count else '')


def has_counts(result):
    """Whether instructions were counted."""
    return any('instructions' in row['allocators'].get(OURS, {})
               for row in result['rows'])


def rows_table(result, painter):
    """A line for each row, by group."""
    peers = analysis.peers_of(result)
    width = max((len(row['name']) for row in result['rows']), default=10) + 1
    lines = [painter.head(
        f'{"":{width}}{"time":>9}{"+-%":>4}'
        + ''.join(f'{whom:>8} ' for whom in [*peers, analysis.BEST])
        + f'{"peak":>9}{"best":>6} {"after":>9}{"best":>6} '
        + (f'{"instr":>7}' if has_counts(result) else ''))]
    for group in analysis.groups_of(result):
        lines += [_row_line(row, peers, painter, width)
                  for row in analysis.rows_of(result, group)] + ['']
    return lines


def _mean_line(rows, peers, figure, label):
    line = f'{label:22}'
    for whom in [*peers, analysis.BEST]:
        found = analysis.mean(rows, peers, whom, figure)
        line += f'{show_ratio(found.median) if found else "-":>9}'
    counts = analysis.tally(rows, peers, figure)
    return line + (f'{counts["win"]:>8}{counts["even"]:>6}'
                   f'{counts["loss"]:>6}')


def means_table(result, painter):
    """Geometric means by group and over all rows."""
    peers = analysis.peers_of(result)
    lines = []
    for figure, label in analysis.FIGURES.items():
        lines.append(painter.head(
            f'{f"mean {label}":22}'
            + ''.join(f'{whom:>9}' for whom in [*peers, analysis.BEST])
            + f'{"wins":>8}{"even":>6}{"losses":>7}'))
        for group in [*analysis.groups_of(result), analysis.ALL]:
            rows = analysis.rows_of(result, group)
            lines.append(_mean_line(rows, peers, figure,
                                    f'  {group} ({len(rows)})'))
        lines.append('')
    return lines


def failures(result):
    """What did not run, and why."""
    for row in result['rows']:
        if 'missing' in row:
            yield f'{row["name"]}: not run: {row["missing"]}'
        for name, cell in row['allocators'].items():
            if 'failed' in cell:
                yield f'{row["name"]} under {name}: {cell["failed"]}'


def render(result, coloured):
    """The whole, as text."""
    painter = Painter(coloured)
    lines = rows_table(result, painter) + means_table(result, painter)
    lines += [LEGEND]
    if has_counts(result):
        lines += textwrap.wrap('"instr": instructions of an operation. '
                               + callgrind.NOTE, 78)
    lines += [f'FAILED: {text}' for text in failures(result)]
    return '\n'.join(lines) + '\n'


def render_scores(scores, coloured):
    """The scorecard."""
    kinds = {scorecard.REACHED: 'win', scorecard.MISSED: 'loss'}
    lines = []
    for entry in scores:
        if entry.what:
            lines.append(entry.what)
        colour = COLOURS[kinds.get(entry.status, 'even')] * coloured
        lines.append(f'  {entry.figure:52} {colour}{entry.status}'
                     + PLAIN * bool(colour))
        if entry.found:
            lines += textwrap.wrap(entry.found, 76, initial_indent=' ' * 4,
                                   subsequent_indent=' ' * 4)
    return '\n'.join(lines) + '\n'


def render_changes(changes, coloured):
    """What is worse and better than before; of the rest only how many."""
    lines = []
    for change in changes:
        if change.kind == 'even':
            continue
        colour = COLOURS[change.kind] * coloured
        word = 'better' if change.kind == 'win' else 'WORSE'
        found = change.interval
        lines.append(f'{colour}{word:7}{PLAIN * bool(colour)}'
                     f'{change.row:36}{change.figure:10}'
                     f'{show_ratio(found.median):>6} '
                     f'({show_ratio(found.low)} to {show_ratio(found.high)})')
    even = sum(change.kind == 'even' for change in changes)
    lines.append(f'{even} of {len(changes)} figures did not change beyond the '
                 'noise')
    return '\n'.join(lines) + '\n'
