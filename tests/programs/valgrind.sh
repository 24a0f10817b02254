#!/bin/bash
# SPDX-License-Identifier: MIT
# valgrind sees the blocks of a preloaded program: memcheck reports a leak of
# known size, and errors in the use of blocks; massif's peak is that of glibc.
#
#	valgrind.sh memcheck|massif LIBRARY LEAK
#
# LEAK is the program of that name, see leak.c.
set -euo pipefail

tool=$1
library=$(realpath "$2")
program=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MALLOC_PERTURB_ LD_PRELOAD

# Run the program in valgrind with "$@"; $preload is preloaded, if not empty.
in_valgrind()
{
	env ${preload:+LD_PRELOAD="$preload"} valgrind --tool="$tool" "$@" \
		"$program" >"$work/out" 2>"$work/report"
	! grep '^slubmalloc:' "$work/out" "$work/report"
}

fail()
{
	cat "$work/report"
	echo "FAILED: $*"
	exit 1
}

# The one number in the lines of the report that match $1, without commas.
number_of()
{
	sed -nE "s/.*$1.*/\1/p" "$work/report" | tr -d ,
}

# Memcheck sees the leak, and no error beside it; "$@" are its options.
check_leak()
{
	local bytes blocks

	in_valgrind --leak-check=full "$@" ||
		fail "the program did not end well"
	read -r bytes _ _ blocks _ <"$work/out"
	echo "leaked: $bytes bytes in $blocks blocks"
	[[ $(number_of 'definitely lost: ([0-9,]+) bytes') == "$bytes" &&
		$(number_of 'definitely lost: .* in ([0-9,]+) blocks') == \
		"$blocks" ]] || fail "memcheck counts otherwise"
	[[ $(number_of 'ERROR SUMMARY: ([0-9,]+) errors') == 1 ]] ||
		fail "memcheck has errors beside the leak"
}

# valgrind replaces any malloc that it finds; older ones only where they are
# told. Told not to, it runs ours, and has nothing to say against it.
check_memcheck()
{
	preload=$library
	check_leak
	check_leak --soname-synonyms=somalloc='libslubmalloc*'
	in_valgrind --soname-synonyms=somalloc=nouserintercepts ||
		fail "the program did not end well"
	[[ $(number_of 'ERROR SUMMARY: ([0-9,]+) errors') == 0 &&
		$(number_of 'total heap usage: ([0-9,]+) allocs') == 0 ]] ||
		fail "memcheck finds errors in the library, or did not run it"
}

# The largest mem_heap_B of a run.
peak_of()
{
	preload=$1 in_valgrind --massif-out-file="$work/massif"
	sed -n 's/^mem_heap_B=//p' "$work/massif" | sort -n | tail -n 1
}

check_massif()
{
	local plain preloaded difference

	plain=$(peak_of '')
	preloaded=$(peak_of "$library")
	difference=$((plain > preloaded ? plain - preloaded :
		preloaded - plain))
	echo "peak: glibc $plain bytes, slubmalloc $preloaded bytes"
	((plain > 1000000 && difference * 100 <= plain)) ||
		fail "the peaks differ by more than 1 %"
}

"check_$tool"
