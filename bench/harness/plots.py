# SPDX-License-Identifier: MIT
"""A result as pictures: ratios of each row, time against memory, and memory
over time; each as SVG and PNG."""
import math

import matplotlib
from matplotlib import pyplot, ticker

from harness import analysis, statistic
from harness.allocators import OURS

matplotlib.use('Agg')
matplotlib.rcParams.update({
    'svg.hashsalt': 'slubmalloc',   # the same result, the same file
    'font.family': 'DejaVu Sans', 'font.size': 8,
    'axes.spines.top': False, 'axes.spines.right': False,
    'axes.axisbelow': True, 'axes.titlesize': 9,
    'axes.titlelocation': 'left', 'legend.frameon': False,
    'figure.constrained_layout.use': True,
})

# Colours that also those tell apart who don't see all of them, and shapes.
STYLES = {
    OURS: ('#d55e00', '*'), 'glibc': ('#666666', 's'),
    'jemalloc': ('#e69f00', '^'), 'mimalloc': ('#0072b2', 'o'),
    'tcmalloc': ('#009e73', 'D'),
}
FURTHER = [('#cc79a7', 'v'), ('#56b4e9', 'P'), ('#8c510a', 'X'),
           ('#5e3c99', '<'), ('#000000', '>')]
RATIO_LIMITS = (1 / 8, 8)   # what is beyond sits at the edge
PNG_DPI = 144
LABEL_SPACE = (90, 16)      # pixels that a name takes


def styles_of(result):
    """(colour, marker) of each allocator."""
    further = iter(FURTHER * len(result['allocators']))
    return {name: STYLES.get(name) or next(further)
            for name in result['allocators']}


def save(figure, directory, name, formats):
    """Write the picture; gives the paths."""
    paths = []
    for kind in formats:
        paths.append(directory / f'{name}.{kind}')
        figure.savefig(paths[-1], dpi=PNG_DPI,
                       metadata={'Date': None} if kind == 'svg' else None)
    pyplot.close(figure)
    return paths


def _plain(value, _position=None):
    return f'{value:g}'


def _log_axis(axis, ticks):
    """A logarithmic axis with numbers as people write them."""
    axis.set_major_locator(ticker.FixedLocator(ticks))
    axis.set_major_formatter(ticker.FuncFormatter(_plain))
    axis.set_minor_locator(ticker.NullLocator())


def _ratio_ticks(low, high):
    ticks = (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 2) \
        if high / low < 3 else (0.125, 0.25, 0.5, 0.7, 1, 1.4, 2, 4, 8)
    return [tick for tick in ticks if low <= tick <= high]


def _place_dot(axes, y, rounds, style):
    """A row's ratio to one peer, its interval as a line; what is off the
    limits is an arrow there. Gives what it reaches over."""
    colour, marker = style
    found = statistic.interval(rounds)
    x, low, high = (min(max(value, RATIO_LIMITS[0]), RATIO_LIMITS[1])
                    for value in (found.median, found.low, found.high))
    if x != found.median:
        marker = '<' if x == RATIO_LIMITS[0] else '>'
    axes.plot([low, high], [y, y], color=colour, linewidth=1, alpha=0.6,
              solid_capstyle='butt')
    axes.plot(x, y, marker, color=colour, markersize=3.8, markeredgewidth=0)
    return low, high


def _place_dots(axes, rows, result, figure_name):
    """A dot for each row and peer; gives the limits of the axis."""
    peers = analysis.peers_of(result)
    styles = styles_of(result)
    low, high = 1 / 1.2, 1.2
    for i, peer in enumerate(peers):
        shift = 0.6 * ((i + 0.5) / len(peers) - 0.5)
        for y, row in enumerate(rows):
            rounds = analysis.ratios(row, peer, figure_name)
            if rounds:
                reach = _place_dot(axes, y + shift, rounds, styles[peer])
                low, high = min(low, reach[0]), max(high, reach[1])
    return low / 1.08, high * 1.08


def ratio_plot(result, group):
    """Our ratio to each peer for each row of a group: time and peak RSS."""
    rows = [row for row in analysis.rows_of(result, group)
            if analysis.values(row, OURS, 'time')]
    figure, panels = pyplot.subplots(
        1, 2, sharey=True, figsize=(8.4, 1.3 + 0.24 * len(rows)))
    for panel, (name, title) in zip(panels, [
            ('time', 'time: slubmalloc / peer, faster to the left'),
            ('peak_kib', 'peak RSS: smaller to the left')]):
        low, high = _place_dots(panel, rows, result, name)
        panel.set_xscale('log')
        panel.set_xlim(low, high)
        _log_axis(panel.xaxis, _ratio_ticks(low, high))
        panel.axvspan(low, 1, color='#d55e00', alpha=0.06, linewidth=0)
        panel.axvline(1, color='black', linewidth=0.8)
        panel.grid(axis='x', color='#dddddd', linewidth=0.6)
        for y in range(0, len(rows), 2):
            panel.axhspan(y - 0.5, y + 0.5, color='black', alpha=0.03,
                          linewidth=0)
        panel.set_title(title)
        panel.tick_params(axis='y', length=0)
    panels[0].set_yticks(range(len(rows)), [
        row['name'].removeprefix(group + '/') for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    styles = styles_of(result)
    figure.legend(
        handles=[pyplot.Line2D([], [], color=styles[peer][0], linewidth=1,
                               marker=styles[peer][1], markersize=4,
                               label=peer)
                 for peer in analysis.peers_of(result)],
        loc='upper center', ncols=len(styles))
    figure.suptitle(' ')    # room for the legend
    return figure


def _label_points(axes, points, styles):
    """Names beside the points: above, or below where another name is."""
    taken = []
    for name in sorted(points, key=lambda name: -points[name][1]):
        x, y = axes.transData.transform(points[name])
        is_free = all(abs(x - other_x) > LABEL_SPACE[0] or
                      abs(y - other_y) > LABEL_SPACE[1]
                      for other_x, other_y in taken)
        axes.annotate(name, points[name],
                      xytext=(8, 6 if is_free else -13),
                      textcoords='offset points', color=styles[name][0],
                      fontweight='bold' if name == OURS else 'normal')
        taken.append((x, y))


def standing_plot(result):
    """Every allocator by its time and its memory, and the Pareto front."""
    points = {name: point for name, point in analysis.standing(
        result, list(result['allocators'])).items() if point}
    styles = styles_of(result)
    figure, axes = pyplot.subplots(figsize=(5.6, 4.4))
    front = analysis.pareto_front(points)
    xs = [points[name][0] for name in front]
    ys = [points[name][1] for name in front]
    right = max(x for x, _ in points.values()) * 1.12
    top = max(y for _, y in points.values()) * 1.12
    axes.step([xs[0], *xs, right] if xs else [], [top, *ys, ys[-1]]
              if ys else [], where='post', color='#999999', linewidth=1,
              linestyle='--', zorder=1)
    axes.set_xlim(min(x for x, _ in points.values()) / 1.08, right)
    axes.set_ylim(min(y for _, y in points.values()) / 1.08, top)
    for name, (x, y) in points.items():
        colour, marker = styles[name]
        axes.plot(x, y, marker, color=colour, markeredgewidth=0,
                  markersize=13 if name == OURS else 8)
    _label_points(axes, points, styles)
    axes.set_xlabel('time, geometric mean over the rows; '
                    '1 = the fastest in every row')
    axes.set_ylabel('peak RSS; 1 = the smallest in every row')
    axes.grid(color='#e5e5e5', linewidth=0.6)
    axes.set_title('Time against memory: better is down and left')
    return figure


def curved_rows(result):
    """The rows that have memory over time."""
    return [row for row in result['rows']
            if any(cell.get('curve') for cell in row['allocators'].values())]


def curves_plot(result):
    """Memory over time, a panel for each row that has it."""
    rows = curved_rows(result)
    columns = min(2, len(rows))
    lines = math.ceil(len(rows) / columns)
    figure, panels = pyplot.subplots(
        lines, columns, squeeze=False, figsize=(4.3 * columns, 2.5 * lines))
    styles = styles_of(result)
    for panel in panels.flat[len(rows):]:
        panel.set_axis_off()
    for panel, row in zip(panels.flat, rows):
        _draw_curves(panel, row, styles)
    handles = [pyplot.Line2D([], [], color=styles[name][0],
                             linewidth=2 if name == OURS else 1.2, label=name)
               for name in styles]
    handles.append(pyplot.Line2D([], [], color='black', linewidth=0.8,
                                 linestyle=':', label='live'))
    figure.legend(handles=handles, loc='upper center', ncols=len(handles))
    figure.suptitle(' ')    # room for the legend
    return figure


def _draw_curves(panel, row, styles):
    # ours last, so that it lies on top
    for name in sorted(row['allocators'], key=lambda name: name == OURS):
        curve = row['allocators'][name].get('curve')
        if not curve:
            continue
        seconds = [point[0] for point in curve]
        panel.plot(seconds, [point[1] / 1024 for point in curve],
                   color=styles[name][0],
                   linewidth=1.8 if name == OURS else 1)
        live = [(point[0], point[2] / 1024) for point in curve
                if len(point) > 2 and point[2] is not None]
        if name == OURS and live:
            panel.plot(*zip(*live), color='black', linewidth=0.8,
                       linestyle=':')
    panel.set_title(row['name'])
    panel.set_xlabel('seconds')
    panel.set_ylabel('MiB')
    panel.set_ylim(bottom=0)
    panel.set_xlim(left=0)
    panel.grid(color='#e5e5e5', linewidth=0.6)


def draw(result, directory, formats=('svg', 'png')):
    """All pictures of a result; gives their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for group in analysis.groups_of(result):
        paths += save(ratio_plot(result, group), directory,
                      f'ratios-{group}', formats)
    if any(analysis.standing(result, list(result['allocators'])).values()):
        paths += save(standing_plot(result), directory, 'time-memory',
                      formats)
    if curved_rows(result):
        paths += save(curves_plot(result), directory, 'memory-over-time',
                      formats)
    return paths
