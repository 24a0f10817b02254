#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Install the library aside, and build programs with what pkg-config says.

usage: installed.py BUILD_FOLDER PREFIX MESON COMPILER...
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77

# Which of the two allocators malloc() is, and that ours works at all.
PROGRAM = r"""
#include <stdlib.h>
#include <slubmalloc/slubmalloc.h>

int main(void)
{
	void *block = malloc(100), *ours = sm_malloc(100);
	int expected = %d;

	if (!sm_owns(ours) || sm_owns(block) != expected)
		return 1;
	sm_free(ours);
	free(block);
	return 0;
}
"""


class Installation:
    def __init__(self, folder, prefix, compiler):
        self.root = folder + prefix
        self.folder = folder
        self.compiler = compiler
        found = glob.glob(self.root + "/**/slubmalloc.pc", recursive=True)
        self.libraries = os.path.dirname(os.path.dirname(found[0]))
        self.environment = {**os.environ,
                            "PKG_CONFIG_PATH": os.path.dirname(found[0]),
                            "LD_LIBRARY_PATH": self.libraries}

    def flags(self, package, *options):
        return subprocess.run(
            ["pkg-config", "--define-variable=prefix=" + self.root, "--cflags",
             "--libs", *options, package], check=True, text=True,
            capture_output=True, env=self.environment).stdout.split()

    def try_program(self, package, owns_malloc, *options):
        source = os.path.join(self.folder, "program.c")
        program = os.path.join(self.folder, "program")
        with open(source, "w") as file:
            file.write(PROGRAM % owns_malloc)
        static = ["-static"] if "--static" in options else []
        subprocess.run([*self.compiler, *static, "-o", program, source,
                        *self.flags(package, *options)], check=True)
        subprocess.run([program], check=True, env=self.environment)

    def try_slubrun(self):
        slubrun = os.path.join(self.root, "bin", "slubrun")
        trace = os.path.join(self.folder, "trace")
        maps = subprocess.run([slubrun, "--record", trace, "cat",
                               "/proc/self/maps"], check=True, text=True,
                              capture_output=True).stdout
        for library in "libslubmalloc.so", "libslubrecord.so":
            if f"{self.libraries}/{library}" not in maps:
                sys.exit(f"slubrun did not preload {library}")


def main():
    build, prefix, meson, *compiler = sys.argv[1:]
    if not shutil.which("pkg-config"):
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([meson, "install", "--no-rebuild", "--quiet", "-C",
                        build, "--destdir", folder], check=True,
                       stdout=subprocess.DEVNULL)
        installation = Installation(folder, prefix, compiler)
        installation.try_program("slubmalloc", 1)
        installation.try_program("slubmalloc", 1, "--static")
        installation.try_program("slubmalloc-core", 0)
        installation.try_program("slubmalloc-core", 0, "--static")
        installation.try_slubrun()


main()
