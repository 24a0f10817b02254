#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parse what malloc_info() writes, and look whether it adds up.

usage: malloc_info.py TEST_PROGRAM LIBRARY
"""
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree


def document(program, library):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "info.xml")
        subprocess.run([program, "malloc_info_writes_a_document"], check=True,
                       stdout=subprocess.DEVNULL,
                       env={**os.environ, "SURFACE_MALLOC_INFO": path,
                            "LD_PRELOAD": library})
        return ElementTree.parse(path).getroot()


def numbers(parent, path, *names):
    element = parent.find(path)
    return [int(element.get(name)) for name in names]


def main():
    root = document(*sys.argv[1:])
    assert root.tag == "malloc" and root.get("version") == "1"
    heap = root.find("heap")
    for size in heap.iter("size"):
        low, high, total, count = (int(size.get(name)) for name in
                                   ("from", "to", "total", "count"))
        assert 0 < low <= high and total == high * count > 0
    free = sum(int(size.get("total")) for size in heap.iter("size"))
    fast = numbers(heap, "total[@type='fast']", "size")[0]
    rest = numbers(heap, "total[@type='rest']", "size")[0]
    assert 0 < free <= fast + rest
    current = numbers(root, "system[@type='current']", "size")[0]
    assert 0 < current <= numbers(root, "aspace[@type='total']", "size")[0]
    count, size = numbers(root, "total[@type='mmap']", "count", "size")
    assert count == 1 and size >= 5 << 20


main()
