#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Link objects into one, with further names for some of its functions.

usage: merge.py OUTPUT LINKER... -- OBJECT...

The linker makes the names (--defsym) but leaves them without a size, and tools
that read symbol tables, valgrind first of all, ignore functions of no size. So
each gets the size of the function that is at the same address.
"""
import struct
import subprocess
import sys

HEADER = struct.Struct("16sHHIQQQIHHHHHH")
SECTION = struct.Struct("IIQQQQIIQQ")
SYMBOL = struct.Struct("IBBHQQ")
SIZE_OFFSET = 16
SYMBOL_TABLE = 2
FUNCTION = 2


def byte_order(image):
    if image[:5] != b"\x7fELF\x02":
        sys.exit("merge.py: not an ELF file of 64 bits")
    return "<" if image[5] == 1 else ">"


def symbol_offsets(image, order):
    """The file offset of every symbol."""
    header = struct.unpack_from(order + HEADER.format, image)
    table, entry_size, entries = header[6], header[11], header[12]
    for index in range(entries):
        section = struct.unpack_from(order + SECTION.format, image,
                                     table + index * entry_size)
        if section[1] == SYMBOL_TABLE:
            yield from range(section[4], section[4] + section[5], SYMBOL.size)


def give_sizes(image):
    order = byte_order(image)
    sizes = {}
    without = []
    for offset in symbol_offsets(image, order):
        _, info, _, section, address, size = struct.unpack_from(
            order + SYMBOL.format, image, offset)
        if info & 15 != FUNCTION:
            continue
        if size:
            sizes[section, address] = size
        else:
            without.append((offset, (section, address)))
    for offset, place in without:
        struct.pack_into(order + "Q", image, offset + SIZE_OFFSET,
                         sizes.get(place, 0))


def main():
    end = sys.argv.index("--")
    output, linker, objects = sys.argv[1], sys.argv[2:end], sys.argv[end + 1:]
    subprocess.run([*linker, "-o", output, *objects], check=True)
    with open(output, "r+b") as file:
        image = bytearray(file.read())
        give_sizes(image)
        file.seek(0)
        file.write(image)


main()
