#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header of a folder compiles alone, and twice. Those that are one of two
# halves, for this machine or for any, come with the header that chooses.
#
#	alone.sh FOLDER COMPILER [OPTION...]
set -eu

folder=$1
shift
count=0
faults=0
for header in $(find "$folder" -name '*.h' ! -name '*_x86_64.h' \
	! -name '*_generic.h' | sort); do
	count=$((count + 1))
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"$@" -fsyntax-only - || {
		faults=$((faults + 1))
		echo "FAILED: $header"
	}
done
echo "$count headers, $faults faults"
test "$count" -gt 0 && test "$faults" -eq 0
