#!/bin/sh
# SPDX-License-Identifier: MIT
# Make a static library of objects in which every hidden name is local: a
# program may have a zone_alloc() of its own.
#
# usage: archive.sh LIBRARY OBJCOPY AR OBJECT...
set -eu

library=$1 objcopy=$2 ar=$3
shift 3

rm -f "$library"
for object; do
	member=${object%.o}-local.o
	"$objcopy" --localize-hidden --remove-section=.comment \
		"$object" "$member"
	"$ar" rcD "$library" "$member"
	rm -f "$member"
done
