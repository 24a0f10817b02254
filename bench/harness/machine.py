# SPDX-License-Identifier: MIT
"""What the measurements ran on, and what of it can't be controlled."""
import os
import pathlib
import platform
import re
import shutil
import subprocess

PROGRAMS = ('bash', 'cc', 'clang', 'db_bench', 'dash', 'git', 'gs', 'jq',
            'lua5.4', 'perl', 'php', 'python3', 'redis-server', 'ruby',
            'sqlite3', 'valgrind', 'xsltproc', 'z3')
BUSY_LOAD = 0.5         # load average that is not ours
STOLEN_SHARE = 0.01     # of CPU time, by the hypervisor


def _read(path):
    """What a file of the kernel says, '' if it isn't there."""
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return ''


def _chosen(path):
    """The word in brackets: 'always [madvise] never'."""
    match = re.search(r'\[(\S+)\]', _read(path))
    return match[1] if match else ''


def _cpu_model():
    info = _read('/proc/cpuinfo')
    match = re.search(r'^model name\s*:\s*(.*)', info, re.M) or \
        re.search(r'^(?:Model|Hardware)\s*:\s*(.*)', info, re.M)
    return match[1] if match else platform.machine()


def _caches(cpu):
    """Sizes by level: {'L1d': '48K', 'L2': '2048K'}."""
    found = {}
    for index in sorted(pathlib.Path(
            f'/sys/devices/system/cpu/cpu{cpu}/cache').glob('index*')):
        kind = _read(index / 'type')
        suffix = {'Data': 'd', 'Instruction': 'i'}.get(kind, '')
        found[f'L{_read(index / "level")}{suffix}'] = _read(index / 'size')
    return found


def stolen_share():
    """(ticks that the hypervisor kept, all ticks) since boot."""
    ticks = [int(word) for word in
             _read('/proc/stat').splitlines()[0].split()[1:9]]
    return ticks[7], sum(ticks)


def describe(cpus):
    """The machine, for the result file."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', _read('/etc/os-release'),
                              re.M))
    transparent = '/sys/kernel/mm/transparent_hugepage'
    frequency = f'/sys/devices/system/cpu/cpu{cpus[0]}/cpufreq'
    memory = re.search(r'MemTotal:\s+(\d+)', _read('/proc/meminfo'))
    return {
        'system': release.get('PRETTY_NAME', platform.system()),
        'kernel': platform.release().split('-')[0],
        'architecture': platform.machine(),
        'cpu': _cpu_model(),
        'cpus_online': os.cpu_count(),
        'cpus_used': list(cpus),
        'smt_siblings': _read(f'/sys/devices/system/cpu/cpu{cpus[0]}'
                              '/topology/thread_siblings_list'),
        'caches': _caches(cpus[0]),
        'memory_mib': int(memory[1]) // 1024 if memory else 0,
        'page_bytes': os.sysconf('SC_PAGE_SIZE'),
        'swap': len(_read('/proc/swaps').splitlines()) > 1,
        'virtual': bool(re.search(r'^flags.*\bhypervisor\b',
                                  _read('/proc/cpuinfo'), re.M)),
        'thp': _chosen(f'{transparent}/enabled'),
        'thp_defrag': _chosen(f'{transparent}/defrag'),
        'governor': _read(f'{frequency}/scaling_governor'),
        'overcommit': _read('/proc/sys/vm/overcommit_memory'),
        'random_layout': _read('/proc/sys/kernel/randomize_va_space'),
        'load_at_start': round(os.getloadavg()[0], 2),
    }


def package_of(path):
    """'libjemalloc2 5.3.0-1' for a file that a Debian package owns, or ''."""
    def query(*words):
        return subprocess.run(['dpkg-query', *words], capture_output=True,
                              text=True).stdout

    path = os.path.realpath(path)
    # the package may know it by the name it had before /usr was merged
    for name in (path, path.removeprefix('/usr')):
        owner = query('-S', name).partition(': ')[0].split(', ')[0]
        if owner:
            return query('-W', '-f', '${Package} ${Version}', owner)
    return ''


def packages():
    """The packages of the programs that have a part in it, as 'NAME
    VERSION'."""
    paths = [shutil.which(program, path='/usr/bin:/bin')
             for program in PROGRAMS]
    return sorted({package_of(path) for path in paths if path} - {''})


def reservations(machine):
    """Sentences about what the harness could not control."""
    yield (f'Transparent huge pages are "{machine["thp"] or "absent"}": an '
           'allocator that relies on another mode is at a disadvantage.')
    if machine['virtual']:
        yield ('A virtual machine: what its host does beside it is unknown, '
               'and page faults cost more than on bare metal.')
    if machine.get('stolen', 0) > STOLEN_SHARE:
        yield (f'The host kept {machine["stolen"]:.1%} of the CPU time to '
               'itself.')
    governor = machine['governor']
    if governor != 'performance':
        yield (f'The frequency governor is "{governor}".' if governor else
               'The CPU frequency can be neither seen nor set.')
    if re.search(r'[-,]', machine['smt_siblings']):
        yield (f'CPUs {machine["smt_siblings"]} are one core: what runs on '
               'one of them slows the other.')
    if machine['load_at_start'] > BUSY_LOAD:
        yield (f'The load average was {machine["load_at_start"]} at the '
               'start: other work was running.')
    if machine['swap']:
        yield 'Swap is on: RSS leaves out what was swapped.'
    if machine['cpus_used'] != list(range(machine['cpus_online'])):
        used = ', '.join(str(cpu) for cpu in machine['cpus_used'])
        yield (f'Only CPUs {used} of {machine["cpus_online"]} were used.')
