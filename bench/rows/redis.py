# SPDX-License-Identifier: MIT
"""redis-server under an allocator, asked by redis-benchmark without any.

Debian links the server with jemalloc, by malloc's own names, so that what is
preloaded takes its place: MEMORY MALLOC-STATS tells that jemalloc has then
handed out nothing, and measure() checks it. The database is emptied by
FLUSHALL ASYNC since, without ASYNC, the server goes on to tell jemalloc, and
no other allocator, to give everything back at once.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from harness import meter
from harness.row import Measure, Row

# the name that the server's binary has in a package which starts no service;
# the server is what it becomes by the name that it is called by
SERVER = 'redis-check-rdb'
REQUESTS = 40000        # of each kind
SIZES = 16, 200, 3000   # of values, in bytes
LIGHT_S = 2
IDLE_KIB = 2048         # what jemalloc may have handed out where it is unused


class Client:
    """A connection to the server, for what redis-benchmark can't ask."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(meter.PROMPT_S)
        self._socket.connect(path)
        self._stream = self._socket.makefile('rwb')

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self._stream.close()
        self._socket.close()

    def ask(self, command):
        """The answer to @command: a line, or a string of many."""
        self._stream.write(command.encode() + b'\r\n')
        self._stream.flush()
        line = self._stream.readline().decode().strip()
        if line.startswith('-') or not line:
            raise meter.Failed(f'redis-server: {command}: {line}')
        if line.startswith('$'):
            return self._stream.read(int(line[1:]) + 2).decode()
        return line


def is_listening(path):
    """Whether a server answers at @path."""
    try:
        with Client(path) as client:
            return client.ask('PING') == '+PONG'
    except (FileNotFoundError, ConnectionRefusedError):
        return False


def check_jemalloc(client, library):
    """Fail where the server still has its memory from its own jemalloc."""
    stats = client.ask('MEMORY MALLOC-STATS')
    found = re.search(r'Allocated: (\d+)', stats)
    if 'jemalloc' not in library and found and \
            int(found[1]) > IDLE_KIB * 1024:
        raise meter.Failed('redis-server: its own jemalloc is in use')


def run_benchmark(place, path, size):
    """All kinds of requests with values of @size; how long that takes."""
    command = ['taskset', '-c', ','.join(str(cpu) for cpu in place.cpus),
               'redis-benchmark', '-s', path, '-q', '-n', str(REQUESTS),
               '-r', '20000', '-P', '16', '-d', str(size),
               '-t', 'set,get,lpush,hset,zadd']
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True,
                          env=meter.base_environment(place))
    if done.returncode:
        raise meter.Failed(f'redis-benchmark: {done.stderr[-meter.TAIL:]}')
    return time.monotonic() - start


def work_lightly(client):
    """A few requests a second, as an idle service has them."""
    end = time.monotonic() + LIGHT_S
    while time.monotonic() < end:
        client.ask('SET key value')
        time.sleep(0.02)


class Redis(Row):
    """The time is what the client takes for its requests; the CPU time, the
    memory and the faults are the server's."""
    group = 'program'

    def __init__(self):
        super().__init__('program/redis')

    def missing(self):
        for program in SERVER, 'redis-benchmark':
            if not shutil.which(program):
                return f'{program} is not there; Debian has it in redis-tools'
        return None

    def measure(self, place, library):
        # a socket's name is short, so it can't be below any place.work
        with tempfile.TemporaryDirectory() as directory:
            path = f'{directory}/socket'
            binary = f'{directory}/redis-server'
            os.symlink(shutil.which(SERVER), binary)
            server = meter.Background(
                place, [binary, '--port', '0', '--unixsocket', path,
                        '--save', '', '--appendonly', 'no',
                        '--dir', directory], library)
            with server:
                server.wait_for(lambda: is_listening(path))
                with Client(path) as client:
                    wall_s, after_kib = self._ask(place, path, client,
                                                  server, library)
        cost = server.cost
        return Measure(wall_s, wall_s, cost.cpu_s, cost.peak_kib,
                       cost.faults, after_kib)

    @staticmethod
    def _ask(place, path, client, server, library):
        """All requests: how long they take, and the server's RSS when all
        they brought is gone."""
        wall_s = sum(run_benchmark(place, path, size) for size in SIZES)
        check_jemalloc(client, library)
        client.ask('FLUSHALL ASYNC')
        work_lightly(client)
        return wall_s, server.process.rss_kib()
