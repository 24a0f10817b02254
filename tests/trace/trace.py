#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slubrun and replay: what was recorded is what is replayed.

usage: trace.py SLUBRUN REPLAY CALLER OPERATORS

Prints TAP. CALLER is tests/trace/caller.c, OPERATORS operators.cc or "".
"""
import collections
import json
import lzma
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SLUBRUN, REPLAY, CALLER, OPERATORS = sys.argv[1:]
USAGE, FAILED, NOT_EXECUTABLE, NOT_FOUND = 2, 125, 126, 127


def run(*command, **options):
    """What became of a command, with what it printed."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('LD_PRELOAD', 'SLUBMALLOC')}
    return subprocess.run(command, text=True, capture_output=True,
                          env=environment | options.pop('env', {}),
                          timeout=120, **options)


class TraceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.trace = self.folder / 'trace'

    def record(self, *command, status=0, options=()):
        """Record a command; what became of it."""
        done = run(SLUBRUN, '--record', self.trace, *options, *command)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr, '')
        return done

    def print(self, trace=None):
        """The lines of a trace, and the last one apart."""
        done = run(REPLAY, '--print', trace or self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        *lines, last = done.stdout.splitlines()
        return lines, last

    def replay(self, *options, trace=None, **more):
        """What a replay says of itself."""
        done = run(REPLAY, *options, trace or self.trace, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return json.loads(done.stdout.splitlines()[-1])

    def refuse(self, trace, message):
        """Neither way of reading accepts @trace; both say why."""
        for options in [], ['--print']:
            done = run(REPLAY, *options, trace)
            self.assertEqual(done.returncode, 1)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count('\n'), 1)


class Recording(TraceTest):
    def test_a_trace_has_the_calls_that_were_made(self):
        for seed in '1', '2', '3':
            expected = self.record(CALLER, 'random', seed).stdout
            lines, last = self.print()
            self.assertEqual(lines, expected.splitlines())
            self.assertEqual(last, 'end of caller: 5000 calls, 1 threads')

    def test_what_was_recorded_is_what_is_replayed(self):
        self.record(CALLER, 'random', '4')
        lines, _ = self.print()
        again = self.folder / 'again'
        run(SLUBRUN, '--record', again, REPLAY, self.trace)
        replayed, last = self.print(again)
        self.assertEqual(replayed[:len(lines)], lines)
        self.assertRegex(last, 'end of replay')
        self.assertTrue(all(' free ' in line
                            for line in replayed[len(lines):]))

    def test_a_call_takes_two_to_four_bytes(self):
        self.record(CALLER, 'many')
        _, last = self.print()
        calls = int(re.search(r'(\d+) calls', last)[1])
        self.assertLess(self.trace.stat().st_size, 4 * calls)
        self.assertEqual(calls, 600000)

    def test_threads_are_told_apart_and_hand_blocks_over(self):
        self.record(CALLER, 'threads')
        lines, last = self.print()
        threads = collections.Counter(line.split()[0] for line in lines)
        self.assertEqual(len(threads), 13)
        self.assertRegex(last, '13 threads')
        found = self.replay('--repeat', '3')
        self.assertEqual(found['threads'], 13)
        # but those who look at a block that another thread frees
        self.assertGreater(found['calls'], 3 * (len(lines) - 100))

    def test_a_child_is_recorded_once_it_executes_a_program(self):
        self.record(CALLER, 'children')
        parent, last = self.print()
        self.assertEqual(last, 'end of caller: 5000 calls, 1 threads')
        children = set(self.folder.iterdir()) - {self.trace}
        self.assertEqual(len(children), 1)
        _, last = self.print(children.pop())
        self.assertRegex(last, 'end of caller: 600000 calls')

    def test_a_program_that_is_killed_leaves_all_its_calls(self):
        self.record(CALLER, 'killed', status=-signal.SIGKILL)
        _, last = self.print()
        self.assertEqual(
            last, 'interrupted record of caller: 5000 calls, 1 threads')
        self.assertEqual(self.replay()['calls'], 5000)

    def test_descriptors_may_be_closed_under_the_recorder(self):
        self.record(CALLER, 'descriptors')
        self.assertRegex(self.print()[1], 'end of caller: 600000 calls')

    def test_signal_handlers_may_allocate(self):
        self.record(CALLER, 'signals')
        _, last = self.print()
        self.assertRegex(last, 'end of caller')
        self.replay()

    def test_no_more_calls_than_asked_for(self):
        self.record(CALLER, 'random', '1', options=['--calls', '77'])
        self.assertEqual(self.print()[1],
                         'end of caller: 77 calls, 1 threads')

    def test_operators_of_cxx_are_recorded_once_each(self):
        if not OPERATORS:
            self.skipTest('there is no compiler for C++')
        self.record(OPERATORS)
        lines, _ = self.print()
        kinds = [line.split()[1] for line in lines[-16:]]
        self.assertEqual(kinds, ['malloc', 'free'] * 4 +
                         ['aligned', 'free'] * 4)

    def test_a_file_that_cannot_grow_ends_the_record_not_the_program(self):
        target = self.folder / 'small'
        done = run('sh', '-c', 'trap "" XFSZ; ulimit -f 1; exec "$@"', 'sh',
                   SLUBRUN, '--record', target, CALLER, 'random', '1')
        self.assertEqual(done.returncode, 0)
        self.assertIn('File too large', done.stderr)
        self.assertIn('recorded are 0 calls', done.stderr)


class Replaying(TraceTest):
    def test_a_trace_may_be_compressed(self):
        self.record(CALLER, 'random', '1')
        packed = self.folder / 'trace.xz'
        packed.write_bytes(lzma.compress(self.trace.read_bytes()))
        self.assertEqual(self.print(packed), self.print())
        self.assertEqual(self.replay(trace=packed)['calls'], 5000)

    def test_memory_is_told_without_the_replay_itself(self):
        self.record(CALLER, 'random', '1')
        found = self.replay()
        self.assertGreater(found['peak_live_kib'], 100)
        self.assertGreaterEqual(found['peak_kib'], found['peak_live_kib'])
        self.assertGreater(found['after_kib'], 0)

    def test_what_is_no_trace_is_refused_in_words(self):
        self.refuse(self.folder / 'nothing', 'No such file')
        for content, message in (
                (b'', 'nothing was recorded'),
                (b'#!/bin/sh\n', 'not a trace'),
                (b'SLUBTRC1', 'cut off'),
                (b'SLUBTRC1\x7f', 'its name is too long'),
                (b'SLUBTRC1\x00\x08\x00', 'there is no call in it'),
                (b'SLUBTRC1\x00\x09', 'a call of no thread'),
                (b'SLUBTRC1\x00\x10\x0d', 'no such block'),
                (b'SLUBTRC1\x00\x10\x0f', 'no such call'),
                (b'SLUBTRC1\x00\x18', 'no such thread'),
                (b'SLUBTRC1\x00' + b'\xff' * 20, 'a number without end'),
                (b'SLUBTRC1\x00\x10\x0b\x7f\x08\x01', 'no such alignment'),
                (b'SLUBTRC1\x00\x10\x09\x08\x02', 'it has lost calls'),
                (b'SLUBTRC1\x00\x10\x09\x08\x01\x09', 'goes on after'),
                (b'\xfd7zXZ\x00' + b'\x11' * 40, 'damaged'),
                (lzma.compress(b'SLUBTRC1\x00\x10\x09\x08\x01')[:-9],
                 'the end of the compressed file is missing')):
            self.trace.write_bytes(content)
            with self.subTest(content):
                done = run(REPLAY, self.trace)
                self.assertEqual(done.returncode, 1)
                self.assertIn(message, done.stderr)

    def test_the_example_of_the_documentation_is_a_trace(self):
        self.trace.write_bytes(b'SLUBTRC1\x00' +
                               bytes.fromhex('10 a106 8201 15 0803'))
        self.assertEqual(self.print()[0], ['0 malloc 100 = #1',
                                           '0 calloc 16 = #2', '0 free #1'])

    def test_a_block_is_taken_once(self):
        self.trace.write_bytes(b'SLUBTRC1\x00\x10\x09\x0d\x0d\x08\x03')
        done = run(REPLAY, self.trace)
        self.assertIn('call 3 takes block 1, which is gone', done.stderr)
        self.assertEqual(done.returncode, 1)

    def test_a_trace_that_is_cut_anywhere_is_refused(self):
        self.record(CALLER, 'random', '1', options=['--calls', '30'])
        content = self.trace.read_bytes()
        for length in range(9, len(content)):
            self.trace.write_bytes(content[:length])
            self.refuse(self.trace, 'cut off')

    def test_a_damaged_byte_ends_no_replay_by_a_signal(self):
        self.record(CALLER, 'random', '1', options=['--calls', '30'])
        content = self.trace.read_bytes()
        for at in range(len(content)):
            damaged = bytearray(content)
            damaged[at] ^= 1 << at % 8
            self.trace.write_bytes(damaged)
            done = run(REPLAY, self.trace)
            self.assertIn(done.returncode, (0, 1))


class Running(TraceTest):
    def test_a_command_runs_on_the_library(self):
        done = run(SLUBRUN, 'cat', '/proc/self/maps')
        self.assertIn('libslubmalloc.so', done.stdout)
        self.assertNotIn('libslubrecord.so', done.stdout)

    def test_another_library_takes_its_place(self):
        other = self.folder / 'other.so'
        found = re.search(r'/\S*libslubmalloc\.so\S*',
                          run(SLUBRUN, 'cat', '/proc/self/maps').stdout)[0]
        shutil.copy(found, other)
        done = run(SLUBRUN, '--library', other, 'cat', '/proc/self/maps')
        self.assertIn('/other.so', done.stdout)
        self.assertNotIn('libslubmalloc.so', done.stdout)

    def test_options_are_added_to_those_of_the_environment(self):
        done = run(SLUBRUN, '-o', 'retain:1m', 'printenv', 'SLUBMALLOC')
        self.assertEqual(done.stdout, 'retain:1m\n')
        done = run(SLUBRUN, '-o', 'retain:1m', 'printenv', 'SLUBMALLOC',
                   env={'SLUBMALLOC': 'retain:2m'})
        self.assertEqual(done.stdout, 'retain:2m,retain:1m\n')

    def test_the_status_is_that_of_the_command(self):
        self.assertEqual(run(SLUBRUN, 'sh', '-c', 'exit 7').returncode, 7)

    def test_options_of_the_command_are_its_own(self):
        self.assertEqual(run(SLUBRUN, 'printenv', '-0').stdout[-1], '\0')

    def test_mistakes_are_told(self):
        blank = self.folder / 'a b.so'
        blank.touch()
        for status, message, *arguments in (
                (USAGE, 'which command?'),
                (USAGE, 'unrecognized option', '--rocket', 'true'),
                (USAGE, 'goes with --record', '--calls', '3', 'true'),
                (USAGE, 'not a number of calls', '--calls', 'x', 'true'),
                (FAILED, 'no blank', '--library', blank, 'true'),
                (FAILED, 'No such file', '--library', 'nowhere', 'true'),
                (FAILED, 'Is a directory', '--record', '/', 'true'),
                (NOT_FOUND, 'No such file', 'no-such-command'),
                (NOT_EXECUTABLE, 'ermission denied', '/')):
            with self.subTest(arguments):
                done = run(SLUBRUN, *arguments)
                self.assertEqual(done.returncode, status)
                self.assertIn(message, done.stderr)

    def test_help_and_version_are_told(self):
        self.assertIn('usage: slubrun', run(SLUBRUN, '--help').stdout)
        self.assertRegex(run(SLUBRUN, '--version').stdout,
                         r'^slubrun \d+\.\d+\.\d+\n$')


class TapResult(unittest.TestResult):
    """A line of TAP for each test."""

    def report(self, test, word, reason=''):
        name = test.id().rpartition('.test_')[2]
        print(f'{word} {self.testsRun} - {name}{reason}', flush=True)

    def addSuccess(self, test):
        self.report(test, 'ok')

    def addSkip(self, test, reason):
        self.report(test, 'ok', f' # SKIP {reason}')

    def addFailure(self, test, error):
        super().addFailure(test, error)
        print('# ' + self.failures[-1][1].replace('\n', '\n# '))
        self.report(test, 'not ok')

    def addError(self, test, error):
        super().addError(test, error)
        print('# ' + self.errors[-1][1].replace('\n', '\n# '))
        self.report(test, 'not ok')

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            print(f'# {subtest}: {error[1]}')


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules[__name__])
    print(f'1..{suite.countTestCases()}')
    result = TapResult()
    suite.run(result)
    sys.exit(not result.wasSuccessful())


main()
