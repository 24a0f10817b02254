# SPDX-License-Identifier: MIT
"""Real programs, whole: as Debian has them, under any allocator.

Each works on an input that is generated, the same everywhere, and is judged
by the time from its start to its end. What it prints must be what it prints
under libc, or the row fails. Those that bring a heap of their own in front
of malloc are asked not to use it (python3, php), as their developers do to
find errors: what is compared is malloc.
"""
import hashlib
import importlib
import pathlib
import shlex
import shutil

from harness import meter
from harness.row import Measure, Row
from rows.redis import Redis

SCRIPTS = pathlib.Path(__file__).parent.parent / 'programs'


def make_input(place, name):
    """The file that programs/@name.py writes; made once, and anew when its
    generator has changed."""
    version = hashlib.sha256()
    for source in 'words', name:
        version.update((SCRIPTS / f'{source}.py').read_bytes())
    path = place.work / f'{name}-{version.hexdigest()[:12]}'
    if not path.exists():
        unfinished = path.with_suffix('.unfinished')
        with open(unfinished, 'w', encoding='ascii') as stream:
            importlib.import_module(f'programs.{name}').write(stream)
        unfinished.rename(path)
    return path


class Program(Row):
    """A command that runs to its end.

    In its words, {scripts} is where the scripts are, {work} where it may
    write, and {name} the input that programs/name.py generates for it.
    """
    group = 'program'

    def __init__(self, name, command, *, program=None, package=None,
                 inputs=(), stdin=None, environment=None,
                 parallel=False, prints_times=False):
        super().__init__(f'program/{name}')
        self._words = shlex.split(command)
        self._program = program or self._words[0]
        self._package = package or self._program
        self._inputs = inputs
        self._stdin = stdin         # the one of the inputs that it reads
        self._environment = environment
        self._parallel = parallel   # has several threads or processes
        self._prints_times = prints_times   # so can't be compared
        self._paths = {}            # what stands for {...}
        self._printed = None        # digest of its output under libc

    @property
    def pinned(self):
        return not self._parallel

    def missing(self):
        if shutil.which(self._program):
            return None
        return (f'{self._program} is not there; Debian has it in '
                f'{self._package}')

    def prepare(self, place):
        self._paths = {'scripts': SCRIPTS, 'work': place.work}
        for name in self._inputs:
            self._paths[name] = make_input(place, name)
        self._printed = self._digest(self._run(place, ''))

    def _run(self, place, library):
        return meter.run(
            place, [word.format(**self._paths) for word in self._words],
            library, environment=self._environment,
            stdin=self._paths.get(self._stdin), cwd=place.work)

    @staticmethod
    def _digest(cost):
        return hashlib.sha256(cost.output.encode()).digest()

    def measure(self, place, library):
        cost = self._run(place, library)
        if not self._prints_times and self._digest(cost) != self._printed:
            raise meter.Failed(f'{self.name}: prints not what it prints '
                               'under libc')
        return Measure(cost.wall_s, cost.wall_s, cost.cpu_s, cost.peak_kib,
                       cost.faults)


def rows():
    """All of them."""
    return [
        Redis(),
        Program('sqlite3', 'sqlite3 -batch :memory:',
                inputs=['statements'], stdin='statements'),
        Program('python', 'python3 {scripts}/job.py {document}',
                inputs=['document'],
                environment={'PYTHONMALLOC': 'malloc', 'PYTHONHASHSEED': '0'}),
        Program('perl', 'perl {scripts}/job.pl',
                environment={'PERL_HASH_SEED': '0'}),
        Program('lua', 'lua5.4 {scripts}/job.lua'),
        Program('ruby', 'ruby {scripts}/job.rb'),
        # -n: without extensions, whose malloc is libc's whatever is preloaded
        Program('php', 'php -n {scripts}/job.php', package='php-cli',
                environment={'USE_ZEND_ALLOC': '0'}),
        Program('bash', 'bash {scripts}/job.sh'),
        Program('jq', 'jq -c -f {scripts}/document.jq {document}',
                inputs=['document']),
        Program('xsltproc', 'xsltproc {scripts}/markup.xsl {markup}',
                inputs=['markup']),
        Program('gcc', 'gcc -O2 -S -x c -o - {c_source}',
                inputs=['c_source']),
        Program('clangxx',
                'clang++ -std=c++20 -O1 -S -x c++ -o - {cxx_source}',
                package='clang', inputs=['cxx_source']),
        Program('git', 'sh {scripts}/history.sh {history} {work}/repository',
                program='git', inputs=['history'], parallel=True),
        Program('z3', 'z3 -smt2 {formulas}', inputs=['formulas']),
        Program('ghostscript', 'sh {scripts}/pages.sh {pages} {work}/pages',
                program='gs', package='ghostscript', inputs=['pages'],
                parallel=True),
        Program('rocksdb', 'db_bench --db={work}/rocksdb '
                '--benchmarks=fillrandom,readrandom,overwrite --num=60000 '
                '--threads=2 --value_size=200 --seed=1 --disable_wal '
                '--write_buffer_size=8000000 --compression_type=none',
                package='rocksdb-tools', parallel=True, prints_times=True),
        Program('processes', 'sh {scripts}/processes.sh', program='sh',
                package='dash', parallel=True),
    ]
