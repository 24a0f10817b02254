#!/bin/sh
# SPDX-License-Identifier: MIT
# Make a static library of one object, in which every hidden name is local.
#
# usage: archive.sh LIBRARY OBJCOPY AR LINKER... -- OBJECT...
#
# One object, because a linker that takes malloc from us and another of its
# family from libc ends up with two allocators; local, because a program may
# have a zone_alloc() of its own.
set -eu

library=$1 objcopy=$2 ar=$3
shift 3
linker=
while [ "$1" != -- ]; do
	linker="$linker $1"
	shift
done
shift

object=${library%.a}.o
$linker -o "$object" "$@"
"$objcopy" --localize-hidden --remove-section=.comment "$object"
rm -f "$library"
"$ar" rcD "$library" "$object"
rm -f "$object"
