# SPDX-License-Identifier: MIT
"""A result as Markdown, with links to its pictures."""
from harness import analysis, callgrind, machine, scorecard, statistic, table
from harness.allocators import OURS

WRAP = 80
CAPTIONS = {
    'time-memory': 'Every allocator by its time and its memory, over all '
                   'rows, in relation to the best in each. The dashed line is '
                   'the Pareto front: nothing is both faster and smaller than '
                   'what is on it.',
    'memory-over-time': 'Memory over time, in the round whose peak was in the '
                        'middle; the dotted line is what was live.',
}
GROUP_TITLES = {
    'micro': 'Single functions, one thread', 'threads': 'Threads',
    'memory': 'Memory over time', 'trace': 'Recorded traces',
    'program': 'Real programs',
}
READ_RATIOS = ('Ratios are slubmalloc\'s to the peer\'s, so below 1 is '
               'better: **bold** where slubmalloc wins, _in italics_ where it '
               'loses, plain where the difference is not beyond the noise.')


def wrap(text):
    """Prose in lines."""
    lines, line = [], ''
    for word in text.split():
        if line and len(line) + 1 + len(word) > WRAP:
            lines.append(line)
            line = word
        else:
            line = f'{line} {word}'.strip()
    return '\n'.join([*lines, line])


def grid(head, rows):
    """A table: the first column to the left, the others to the right."""
    rule = ['---'] + ['---:'] * (len(head) - 1)
    return '\n'.join('| ' + ' | '.join(cells) + ' |'
                     for cells in [head, rule, *rows])


def _left(head, rows):
    return grid(head, rows).replace('---:', '---')


def _ratio(rounds, with_interval=False):
    """A ratio as its verdict has it written."""
    if not rounds:
        return '–'
    found = statistic.interval(rounds)
    text = table.show_ratio(found.median)
    kind = statistic.verdict(rounds)
    if kind == 'win':
        text = f'**{text}**'
    elif kind == 'loss':
        text = f'_{text}_'
    if with_interval:
        text += (f' ({table.show_ratio(found.low)} to '
                 f'{table.show_ratio(found.high)})')
    return text


def _picture(pictures, name, caption):
    return [f'![{caption}]({pictures}/{name}.svg)']


def _machine(result):
    facts = result['machine']
    caches = ', '.join(f'{name} {size}' for name, size in
                       facts['caches'].items())
    rows = [
        ['CPU', f'{facts["cpu"]}, {len(facts["cpus_used"])} of '
                f'{facts["cpus_online"]} used; {caches}'],
        ['memory', f'{facts["memory_mib"] / 1024:.1f} GiB, pages of '
                   f'{facts["page_bytes"]} bytes, transparent huge pages: '
                   f'{facts["thp"]}'],
        ['system', f'{facts["system"]}, Linux {facts["kernel"]}, '
                   f'{facts["architecture"]}'],
        ['measured', f'{result["started"]} to {result["ended"]}, '
                     f'{result["rounds"]} rounds'],
    ]
    rows += [[name, facts['version'] or facts['library']]
             for name, facts in result['allocators'].items()]
    return _left(['', ''], rows)


def _packages(result):
    return wrap('Packages: ' + ', '.join(result['packages']) + '.')


def _scores(result):
    return _left(
        ['what', 'figure', 'found', ''],
        [[entry.what, entry.figure, entry.found,
          entry.status if entry.status != scorecard.MISSED
          else f'**{entry.status}**']
         for entry in scorecard.score(result)])


def _means(result, figure):
    peers = analysis.peers_of(result)
    rows = []
    for group in [*analysis.groups_of(result), analysis.ALL]:
        of_group = analysis.rows_of(result, group)
        cells = []
        for whom in [*peers, analysis.BEST]:
            found = analysis.mean(of_group, peers, whom, figure)
            cells.append(table.show_ratio(found.median) if found else '–')
        counts = analysis.tally(of_group, peers, figure)
        rows.append([f'{group} ({len(of_group)})', *cells,
                     *(str(count) for count in counts.values())])
    return grid([analysis.FIGURES[figure], *peers, 'best in each row', 'won',
                 'even', 'lost'], rows)


def _time_table(rows, peers):
    lines = []
    for row in rows:
        time = analysis.median(row, OURS, 'time')
        best = analysis.best_peer(row, peers, 'time')
        lines.append([
            f'`{row["name"]}`',
            table.show_time(time, row['unit']) if time else '–',
            *(_ratio(analysis.ratios(row, peer, 'time')) for peer in peers),
            _ratio(analysis.against(row, peers, analysis.BEST, 'time'), True),
            best or '–'])
    return grid(['time', OURS, *peers, 'best, with interval', 'which is'],
                lines)


def _memory_table(rows, peers):
    lines = []
    for row in rows:
        cells = []
        for figure in ('peak_kib', 'after_kib'):
            own = analysis.median(row, OURS, figure)
            cells.append(table.show_kib(own) if own else '–')
            whom = [*peers, analysis.BEST] if figure == 'peak_kib' else \
                [analysis.BEST]
            cells += [_ratio(analysis.against(row, peers, each, figure))
                      for each in whom]
        faults = analysis.median(row, OURS, 'faults')
        best = analysis.best_peer(row, peers, 'faults')
        cells.append(f'{faults:,.0f}' if faults is not None else '–')
        cells.append(f'{analysis.median(row, best, "faults"):,.0f}'
                     if best else '–')
        lines.append([f'`{row["name"]}`', *cells])
    return grid(['memory', 'peak', *peers, 'smallest', 'after', 'smallest',
                 'faults', 'fewest'], lines)


def _counts_table(result):
    names = list(result['allocators'])
    rows = [row for row in result['rows']
            if any('instructions' in cell
                   for cell in row['allocators'].values())]
    if not rows:
        return []
    lines = [[f'`{row["name"]}`', *(
        f'{cell["instructions"]:,.0f}' if 'instructions' in cell else '–'
        for cell in (row['allocators'].get(name, {}) for name in names))]
        for row in rows]
    note = callgrind.NOTE
    if result.get('hot_path'):
        note += ' There, ' + ', '.join(
            f'`{name}` is {count} instructions'
            for name, count in result['hot_path'].items()) + '.'
    return ['## Instructions per operation', wrap(note),
            grid(['instructions', *names], lines)]


def render(result, source, pictures, guide):
    """The page of the result file @source. @pictures is the folder of its
    SVGs and @guide what tells how to read it, both relative to the page."""
    peers = analysis.peers_of(result)
    parts = [
        f'<!-- Generated from {source} by bench/compare; don\'t edit. -->',
        '# Benchmarks',
        wrap('slubmalloc and its peers, each preloaded into the same '
             'programs. How to read and repeat this is in '
             f'[bench/README.md]({guide}).'),
        _machine(result),
        '## What could not be controlled',
        '\n'.join('- ' + wrap(text).replace('\n', '\n  ')
                  for text in machine.reservations(result['machine'])),
        '## What it set out to show', _scores(result),
        '## All in all', wrap(READ_RATIOS + ' Means are geometric. The last '
                              'columns count rows against the best peer of '
                              'each.'),
        *(_means(result, figure) for figure in analysis.FIGURES),
        *_picture(pictures, 'time-memory', CAPTIONS['time-memory']),
    ]
    if any(cell.get('curve') for row in result['rows']
           for cell in row['allocators'].values()):
        parts += _picture(pictures, 'memory-over-time',
                          CAPTIONS['memory-over-time'])
    for group in analysis.groups_of(result):
        rows = analysis.rows_of(result, group)
        title = GROUP_TITLES.get(group, group)
        parts += [f'## {title}', *_picture(
            pictures, f'ratios-{group}', f'{title}: ratios of each row'),
            _time_table(rows, peers), _memory_table(rows, peers)]
    parts += _counts_table(result)
    failed = list(table.failures(result))
    if failed:
        parts += ['## What did not run', '\n'.join(
            '- ' + text.replace('\n', '\n  ') for text in failed)]
    parts += ['## Versions', _packages(result)]
    return '\n\n'.join(parts) + '\n'
