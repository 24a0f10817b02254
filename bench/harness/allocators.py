# SPDX-License-Identifier: MIT
"""The allocators that are compared, and the proof that they are."""
import dataclasses
import glob
import hashlib
import os
import pathlib
import subprocess

from harness import machine, meter

OURS = 'slubmalloc'
PATTERNS = {
    'glibc': None,
    'jemalloc': 'libjemalloc.so.*',
    'mimalloc': 'libmimalloc.so.*',
    'tcmalloc': 'libtcmalloc_minimal.so.*',
}


class NotThere(Exception):
    """An allocator that can't be found, or doesn't do what it is for."""


@dataclasses.dataclass(frozen=True)
class Allocator:
    """A library that has malloc."""
    name: str
    library: str        # what rows are given: its path, '' for libc
    version: str        # of its package, or what else tells it

    @property
    def path(self):
        """The file, also that of libc."""
        return self.library or meter.LIBC

    def digest(self):
        """What tells this library from any other build of it."""
        content = pathlib.Path(self.path).read_bytes()
        return hashlib.sha256(content).hexdigest()[:16]

    def facts(self):
        """What the result file says of it."""
        return {'library': os.path.basename(self.path),
                'version': self.version, 'digest': self.digest()}


def tree_version(root):
    """What the tree is: a revision, and whether it was changed since."""
    return subprocess.run(
        ['git', '-C', root, 'describe', '--always', '--dirty', '--tags'],
        capture_output=True, text=True).stdout.strip()


def find_peer(name):
    """A peer by its name, as Debian installs it."""
    if name not in PATTERNS:
        raise NotThere(f'{name}: not a peer; there are '
                       f'{", ".join(PATTERNS)}, and --with NAME=PATH')
    if name == 'glibc':
        return Allocator(name, '', machine.package_of(meter.LIBC))
    paths = sorted(glob.glob(f'/usr/lib/*-linux-gnu/{PATTERNS[name]}'))
    if not paths:
        raise NotThere(f'{name}: no {PATTERNS[name]} in /usr/lib; '
                       'tools/setup bench installs it')
    return Allocator(name, paths[-1], machine.package_of(paths[-1]))


def given(definition):
    """An allocator from 'NAME=PATH'."""
    name, separator, path = definition.partition('=')
    if not (separator and name and os.path.isfile(path)):
        raise NotThere(f'--with {definition}: not NAME=PATH of a library')
    path = os.path.realpath(path)
    return Allocator(name, path, machine.package_of(path))


def find_all(root, library, peers, others):
    """Ours at @library, the @peers by name, and @others as NAME=PATH, in the
    order in which tables show them; by name."""
    if not os.path.isfile(library):
        raise NotThere(f'{library} is not there; tools/build builds it')
    found = [Allocator(OURS, os.path.realpath(library), tree_version(root))]
    found += [find_peer(name) for name in peers]
    found += [given(definition) for definition in others]
    names = [allocator.name for allocator in found]
    for name in names:
        if names.count(name) > 1:
            raise NotThere(f'there are two allocators called {name}')
    return {allocator.name: allocator for allocator in found}


def check_witness(allocator, told, what):
    """Whether every process of @what had its malloc from @allocator, as
    meter.witnessed() was told; raises NotThere if not."""
    if not told:
        raise NotThere(f'{what}: no process took {allocator.name}; is the '
                       'program linked statically?')
    for program, library in told:
        if os.path.realpath(library) != os.path.realpath(allocator.path):
            raise NotThere(
                f'{what}: {os.path.basename(program)} has its malloc from '
                f'{library}, though {allocator.name} was preloaded')


def verify(place, allocators):
    """That each of them takes over a program at all."""
    for allocator in allocators.values():
        with meter.witnessed(place) as told:
            meter.run(place, ['true'], allocator.library)
        check_witness(allocator, told, 'true')
