# SPDX-License-Identifier: MIT
"""Run commands under an allocator and tell what they cost."""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time

TIMEOUT_S = 600
PROMPT_S = 10   # for what has been told to end
TAIL = 2000     # of stderr, in a message


class Failed(Exception):
    """A command that didn't do what it was asked."""


@dataclasses.dataclass
class Cost:
    """What a command cost; see meter.c for whose cost it is."""
    wall_s: float
    cpu_s: float
    peak_kib: int
    faults: int
    curve: list         # of (seconds, RSS in KiB)
    output: str         # what it printed, unless that went elsewhere


def base_environment(place):
    """What every command sees: the same everywhere, and no setting of any
    allocator."""
    return {'PATH': '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
            'HOME': str(place.work), 'TMPDIR': str(place.work),
            'LC_ALL': 'C.UTF-8', 'TZ': 'UTC'}


def _find_libc():
    """The file that has libc's own malloc. A program that is linked with
    another allocator gets libc's back by preloading this."""
    maps = pathlib.Path('/proc/self/maps').read_text()
    return re.search(r'/\S+/libc\.so\.6$', maps, re.M)[0]


LIBC = _find_libc()


@contextlib.contextmanager
def witnessed(place):
    """While this lasts, every process tells whose malloc it has got.

    Gives the list of (executable, library) that has all when it is over.
    """
    global _witness
    told = []
    with tempfile.NamedTemporaryFile('r') as file:
        _witness = (str(place.build / 'bench' / 'libwitness.so'), file.name)
        try:
            yield told
        finally:
            _witness = None
        told += [tuple(line.rstrip('\n').split('\t')) for line in file]


_witness = None


class Process:
    """A command that the meter has started."""

    def __init__(self, place, argv, library, *, environment=None, stdin=None,
                 stdout=None, cwd=None, sample_s=None):
        self.name = ' '.join(str(word) for word in argv)[:200]
        self._stderr = tempfile.TemporaryFile()
        self._stdout = tempfile.TemporaryFile() if stdout is None else None
        reader, writer = os.pipe()
        environment = base_environment(place) | (environment or {})
        preload = library or LIBC
        if _witness:
            preload = _witness[0] + ':' + preload
            environment['BENCH_WITNESS'] = _witness[1]
        command = [place.build / 'bench' / 'meter', '-o', str(writer),
                   '-c', ','.join(str(cpu) for cpu in place.cpus),
                   '-p', preload]
        command += ['-s', str(sample_s)] if sample_s else []
        opened = []
        try:
            self._meter = subprocess.Popen(
                command + list(argv), pass_fds=[writer], cwd=cwd,
                stdin=_open(stdin, 'rb', opened),
                stdout=self._stdout or _open(stdout, 'wb', opened),
                stderr=self._stderr, start_new_session=True,
                env=environment)
        except FileNotFoundError as error:
            os.close(reader)
            raise Failed(f'{error.filename} is not there; build it by '
                         f'ninja -C {place.build} bench-programs') from error
        finally:
            os.close(writer)
            for file in opened:
                file.close()
        self._lines = os.fdopen(reader, 'rb')
        #: of the command's own process
        self.pid = json.loads(self._lines.readline() or '{"pid": 0}')['pid']

    def rss_kib(self):
        """What the command's own process has in memory at this moment."""
        pages = pathlib.Path(f'/proc/{self.pid}/statm').read_text().split()[1]
        return int(pages) * (os.sysconf('SC_PAGE_SIZE') // 1024)

    def stop(self):
        """Ask the command to end."""
        self._meter.terminate()

    def finish(self, timeout=TIMEOUT_S, may_be_stopped=False):
        """Wait for the end, and give the cost."""
        report = self._read_report(timeout)
        status, stopped = report['exit'], report['signal']
        if may_be_stopped and stopped == signal.SIGTERM:
            stopped = 0
        if stopped:
            raise Failed(f'{self.name}: ended by '
                         f'{signal.Signals(stopped).name}{self._tail()}')
        if status:
            raise Failed(f'{self.name}: exit status {status}{self._tail()}')
        return Cost(report['wall_s'],
                    round(report['user_s'] + report['system_s'], 6),
                    report['peak_kib'],
                    report['minor_faults'] + report['major_faults'],
                    report['curve'], self._output())

    def _read_report(self, timeout):
        """The meter's second line, at the end of everything."""
        try:
            ready, _, _ = select.select([self._lines], [], [], timeout)
            text = self._lines.read() if ready else b''
        except BaseException:
            self.kill()
            raise
        if not ready:
            self.kill()
            raise Failed(f'{self.name}: still runs after {timeout} s')
        self._lines.close()
        if self._meter.wait() or not text:
            raise Failed(f'{self.name}: the meter failed{self._tail()}')
        return json.loads(text)

    def kill(self):
        """End the command and all of its session, at once."""
        try:
            os.killpg(self._meter.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._meter.wait()

    def _output(self):
        if not self._stdout:
            return ''
        self._stdout.seek(0)
        return self._stdout.read().decode(errors='replace')

    def _tail(self):
        self._stderr.seek(0)
        text = self._stderr.read().decode(errors='replace').strip()
        return '\n' + text[-TAIL:] if text else ''


def _open(target, mode, opened):
    """A descriptor, DEVNULL and the like as they are; a path, opened."""
    if target is None:
        return subprocess.DEVNULL
    if isinstance(target, (str, pathlib.Path)):
        opened.append(open(target, mode))
        return opened[-1]
    return target


def run(place, argv, library, **options):
    """Run a command once, with @library preloaded ('' for libc itself).

    @environment is added to base_environment(); @stdin and @stdout are paths
    or what subprocess takes; output that goes nowhere else is in the Cost.
    @sample_s asks for a curve. Raises Failed unless the command ends with 0.
    """
    return Process(place, argv, library, **options).finish()


class Background:
    """A server that runs while its clients do.

        with meter.Background(place, ['server'], library) as server:
            ...             # server.process.rss_kib(), server.wait_for(...)
        server.cost         # as of run(); it is asked to end by SIGTERM
    """

    def __init__(self, place, argv, library, **options):
        self._start = (place, argv, library), options
        self.process = None
        self.cost = None

    def __enter__(self):
        arguments, options = self._start
        self.process = Process(*arguments, **options)
        return self

    def wait_for(self, is_ready, timeout=PROMPT_S):
        """Until @is_ready() is true; Failed if that takes too long."""
        end = time.monotonic() + timeout
        while not is_ready():
            if time.monotonic() > end:
                raise Failed(f'{self.process.name}: not ready after '
                             f'{timeout} s')
            time.sleep(0.01)

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.process.kill()
            return
        self.process.stop()
        self.cost = self.process.finish(PROMPT_S, may_be_stopped=True)
