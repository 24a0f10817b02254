#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The parts of the harness that decide: statistics, what is compared with
what, and what a run that was interrupted goes on with."""
import io
import json
import pathlib
import tempfile
import unittest

from harness import analysis, meter, regressions, results, runner, scorecard
from harness import statistic, table
from harness.allocators import OURS, Allocator, NotThere, check_witness
from harness.row import Measure, Place, Row

ALLOCATORS = {name: Allocator(name, f'/{name}.so', '1')
              for name in (OURS, 'first', 'second')}
SUBJECT = {'allocators': {'first': 'digest'}}


class Intervals(unittest.TestCase):
    """Medians and what follows from them."""

    def test_seven_values_are_bounded_by_the_least_and_the_largest(self):
        found = statistic.interval([7, 1, 6, 2, 5, 3, 4])
        self.assertEqual((found.median, found.low, found.high), (4, 1, 7))
        self.assertAlmostEqual(found.confidence, 1 - 2 / 128)

    def test_an_outlier_is_outside_from_nine_values_on(self):
        found = statistic.interval([1, 2, 3, 4, 5, 6, 7, 8, 900])
        self.assertEqual((found.low, found.high), (2, 8))
        self.assertGreaterEqual(found.confidence, 0.95)

    def test_the_interval_of_one_value_is_that_value(self):
        found = statistic.interval([3])
        self.assertEqual((found.low, found.median, found.high), (3, 3, 3))
        self.assertEqual(found.confidence, 0)

    def test_coverage_is_what_tossing_coins_gives(self):
        # of 6 values all must fall on one side of the median: 2 of 64 ways
        self.assertAlmostEqual(statistic.interval(range(6)).confidence,
                               62 / 64)

    def test_a_geometric_mean_favours_nobody(self):
        self.assertAlmostEqual(statistic.geometric_mean([0.5, 2]), 1)


class Verdicts(unittest.TestCase):
    """When a difference is one."""

    def test_clearly_below_one_is_a_win(self):
        self.assertEqual(statistic.verdict(
            [0.80, 0.81, 0.79, 0.80, 0.82, 0.80, 0.78]), 'win')

    def test_clearly_above_one_is_a_loss(self):
        self.assertEqual(statistic.verdict(
            [1.20, 1.21, 1.19, 1.20, 1.22, 1.20, 1.18]), 'loss')

    def test_an_interval_that_has_one_in_it_is_even(self):
        self.assertEqual(statistic.verdict(
            [0.80, 0.81, 0.79, 0.80, 0.82, 0.80, 1.01]), 'even')

    def test_less_than_one_per_cent_is_even(self):
        self.assertEqual(statistic.verdict([0.995] * 7), 'even')

    def test_what_is_within_the_scatter_is_even(self):
        self.assertEqual(statistic.verdict(
            [0.80, 0.88, 0.90, 0.96, 0.98, 0.99, 0.995]), 'even')

    def test_from_five_rounds_nothing_follows(self):
        self.assertEqual(statistic.verdict([0.5] * 5), 'even')
        self.assertEqual(statistic.verdict([0.5] * 6), 'win')

    def test_a_change_is_one_if_the_intervals_are_apart(self):
        before = [0.80, 0.81, 0.79, 0.80, 0.82, 0.80, 0.78]
        after = [value * 1.2 for value in before]
        self.assertEqual(statistic.change_verdict(before, after), 'loss')
        self.assertEqual(statistic.change_verdict(after, before), 'win')
        self.assertEqual(statistic.change_verdict(before, before), 'even')


def cell(times, peaks=(100,) * 7):
    return {'time': list(times), 'peak_kib': list(peaks),
            'cpu_s': list(times)}


def result_of(rows, names=(OURS, 'first', 'second'), cpus=2):
    """A result that has @rows: name to cells."""
    return {'format': results.FORMAT,
            'machine': {'cpus_used': list(range(cpus))},
            'allocators': {name: {} for name in names},
            'rows': [{'name': name, 'group': name.split('/')[0], 'unit': 's',
                      'allocators': cells} for name, cells in rows.items()]}


class Comparisons(unittest.TestCase):
    """Who is compared with whom."""

    def setUp(self):
        self.result = result_of({
            'micro/a': {OURS: cell([1] * 7), 'first': cell([2] * 7),
                        'second': cell([4] * 7)},
            'micro/b': {OURS: cell([8] * 7), 'first': cell([4] * 7),
                        'second': cell([2] * 7)},
            'micro/c': {OURS: cell([1] * 7), 'second': {'failed': 'why'}},
        })
        self.rows = self.result['rows']
        self.peers = ['first', 'second']

    def test_the_best_peer_is_that_of_the_row(self):
        self.assertEqual(
            [analysis.best_peer(row, self.peers, 'time')
             for row in self.rows], ['first', 'second', None])

    def test_ratios_are_taken_within_rounds(self):
        row = {'allocators': {OURS: cell([1, 20, 300]),
                              'first': cell([2, 40, 600])}}
        self.assertEqual(analysis.ratios(row, 'first', 'time'), [0.5] * 3)

    def test_a_mean_leaves_out_rows_that_one_did_not_finish(self):
        for whom, expected in (('first', 1), ('second', 1),
                               (analysis.BEST, (0.5 * 4) ** 0.5)):
            found = analysis.mean(self.rows, self.peers, whom, 'time')
            self.assertAlmostEqual(found.median, expected)

    def test_rows_are_won_and_lost_against_the_best_peer(self):
        self.assertEqual(analysis.tally(self.rows, self.peers, 'time'),
                         {'win': 1, 'even': 0, 'loss': 1})

    def test_nobody_on_the_front_is_beaten_in_both(self):
        points = {'fast': (1, 3), 'small': (3, 1), 'both': (2, 2),
                  'worse': (2, 3)}
        self.assertEqual(analysis.pareto_front(points),
                         ['fast', 'both', 'small'])

    def test_a_failure_is_told(self):
        self.assertEqual(list(table.failures(self.result)),
                         ['micro/c under second: why'])

    def test_a_result_against_itself_has_not_changed(self):
        found = regressions.find(self.result, self.result)
        self.assertEqual({change.kind for change in found}, {'even'})

    def test_a_slower_row_is_a_regression(self):
        slower = json.loads(json.dumps(self.result))
        slower['rows'][0]['allocators'][OURS]['time'] = [1.5] * 7
        found = regressions.find(self.result, slower)
        self.assertEqual([(change.row, change.figure) for change in found
                          if change.kind == 'loss'], [('micro/a', 'time')])


class Scores(unittest.TestCase):
    """Figures, reached or not."""

    def score_of(self, rows, what, index=0):
        found = [entry for entry in scorecard.score(result_of(rows))
                 if entry.figure.startswith(what)]
        return found[index].status

    def test_what_was_not_measured_is_not_reached(self):
        self.assertEqual({entry.status for entry in
                          scorecard.score(result_of({}))},
                         {scorecard.UNKNOWN})

    def test_one_row_above_the_figure_is_enough(self):
        rows = {'micro/a': {OURS: cell([1] * 7), 'first': cell([2] * 7)},
                'micro/b': {OURS: cell([1.1] * 7), 'first': cell([1] * 7)}}
        self.assertEqual(self.score_of(rows, 'each ≤ 1.00'),
                         scorecard.MISSED)
        del rows['micro/b']
        self.assertEqual(self.score_of(rows, 'each ≤ 1.00'),
                         scorecard.REACHED)

    def test_scaling_compares_a_thread_alone_with_one_of_many(self):
        rows = {f'threads/distinct/{count}': {OURS: cell([time] * 7)}
                for count, time in ((1, 10), (2, 5.1))}
        self.assertEqual(self.score_of(rows, 'throughput'),
                         scorecard.REACHED)
        rows['threads/distinct/2'] = {OURS: cell([6] * 7)}
        self.assertEqual(self.score_of(rows, 'throughput'),
                         scorecard.MISSED)


class Journals(unittest.TestCase):
    """What an interrupted run goes on with."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = pathlib.Path(scratch.name, 'run.jsonl')

    def open(self, subject=None):
        journal = results.Journal(self.path, subject or SUBJECT)
        self.addCleanup(journal.close)
        return journal

    def test_what_was_measured_is_there_again(self):
        first = self.open()
        first.add(1, 'a', 'first', {'took_s': 2})
        second = self.open()
        self.assertEqual(second.entries.keys(), {(1, 'a', 'first')})
        self.assertEqual(second.started, first.started)

    def test_a_line_that_was_cut_off_is_forgotten(self):
        self.open().add(1, 'a', 'first', {'took_s': 2})
        with open(self.path, 'a') as file:
            file.write('{"round": 1, "row": "b", "al')
        self.assertEqual(len(self.open().entries), 1)
        self.open().add(1, 'b', 'first', {'took_s': 2})
        self.assertEqual(len(self.open().entries), 2)

    def test_a_run_cut_off_in_its_first_line_starts_anew(self):
        self.path.write_text('{"subject": {"allo')
        self.assertEqual(self.open().entries, {})
        self.assertEqual(self.open().entries, {})

    def test_what_failed_is_tried_again(self):
        self.open().add(1, 'a', 'first', {'failed': 'why'})
        self.assertEqual(self.open().entries, {})

    def test_another_library_is_another_run(self):
        self.open()
        with self.assertRaisesRegex(results.Unusable, 'other allocators'):
            self.open({'allocators': {'first': 'other'}})

    def test_what_is_no_journal_is_left_alone(self):
        for text in ('{"some": "JSON"}\n', '[]\n', 'text\n'):
            self.path.write_text(text)
            with self.assertRaises(results.Unusable):
                self.open()
            self.assertEqual(self.path.read_text(), text)


class Files(unittest.TestCase):
    """The result file."""

    def test_it_is_read_as_it_was_written(self):
        result = result_of({'micro/a': {OURS: cell([1.5, 2])}})
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, 'deeper', 'result.json')
            results.save(result, path)
            self.assertEqual(results.load(path), result)

    def test_what_is_no_result_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, 'result.json')
            for text in ('', '[]', '{"format": "another"}'):
                path.write_text(text)
                with self.assertRaises(results.Unusable):
                    results.load(path)

    def test_numbers_have_as_many_digits_as_mean_something(self):
        self.assertEqual(results.shorten(1.23456789), 1.2346)
        self.assertEqual(results.shorten(123456789.0), 123460000)
        self.assertEqual(results.shorten(2.0), 2)

    def test_a_long_curve_keeps_its_ends(self):
        curve = results.thin([[second, 1] for second in range(1001)])
        self.assertLessEqual(len(curve), results.CURVE_POINTS + 1)
        self.assertEqual((curve[0][0], curve[-1][0]), (0, 1000))


class FakeRow(Row):
    """Notes when it is run."""
    group = 'micro'

    def __init__(self, name, log, fails_under=''):
        super().__init__(name)
        self.log = log
        self.fails_under = fails_under

    def measure(self, place, library):
        self.log.append((self.name, library, place.cpus))
        if library == self.fails_under:
            raise meter.Failed('on purpose')
        return Measure(1.0, 1.0, 1.0, 100, 10)


class FakeRunner(runner.Runner):
    """Has no processes that could be witnesses."""

    def _measure_witnessed(self, place, row, allocator):
        return row.measure(place, allocator.library)


class Runs(unittest.TestCase):
    """Rounds, and their order."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = pathlib.Path(scratch.name, 'run.jsonl')
        self.log = []

    def run_rows(self, rows, rounds):
        journal = results.Journal(self.path, SUBJECT)
        self.addCleanup(journal.close)
        work = FakeRunner(Place(self.path, self.path, (0, 1)), rows,
                          ALLOCATORS, journal, runner.Progress(io.StringIO()))
        work.run(rounds)
        return work.rows(rounds, {})

    def test_each_allocator_is_first_in_turn(self):
        self.run_rows([FakeRow('a', self.log)], 3)
        firsts = [library for _, library, _ in self.log[::3]]
        self.assertEqual(sorted(firsts[1:]),
                         sorted(one.library for one in ALLOCATORS.values()))

    def test_the_first_round_warms_up_and_does_not_count(self):
        row, = self.run_rows([FakeRow('a', self.log)], 2)
        self.assertEqual(len(self.log), 3 * len(ALLOCATORS))
        self.assertEqual(row['allocators'][OURS]['time'], [1, 1])

    def test_a_row_of_one_thread_has_one_cpu(self):
        self.run_rows([FakeRow('a', self.log)], 1)
        self.assertEqual({cpus for _, _, cpus in self.log}, {(1,)})

    def test_a_finished_run_measures_nothing_again(self):
        self.run_rows([FakeRow('a', self.log)], 2)
        done = len(self.log)
        self.run_rows([FakeRow('a', self.log)], 2)
        self.assertEqual(len(self.log), done)
        self.run_rows([FakeRow('a', self.log)], 3)
        self.assertEqual(len(self.log), done + len(ALLOCATORS))

    def test_a_failure_ends_a_row_under_that_allocator_only(self):
        row, = self.run_rows([FakeRow('a', self.log, '/first.so')], 2)
        self.assertEqual(len(self.log), 1 + 2 * 3)
        self.assertEqual(row['allocators']['first'],
                         {'failed': 'on purpose'})
        self.assertEqual(row['allocators']['second']['time'], [1, 1])


class Witnesses(unittest.TestCase):
    """Whose malloc a process got."""

    def test_another_library_is_told(self):
        with self.assertRaisesRegex(NotThere, 'sh has its malloc from /x.so'):
            check_witness(ALLOCATORS['first'], [('/bin/sh', '/x.so')], 'row')

    def test_no_process_at_all_is_told(self):
        with self.assertRaisesRegex(NotThere, 'statically'):
            check_witness(ALLOCATORS['first'], [], 'row')

    def test_all_is_well_if_every_process_has_it(self):
        check_witness(ALLOCATORS['first'],
                      [('/bin/sh', '/first.so')] * 2, 'row')


if __name__ == '__main__':
    unittest.main()
