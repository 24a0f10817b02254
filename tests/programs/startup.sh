#!/bin/bash
# SPDX-License-Identifier: MIT
# What /bin/true costs more with the library preloaded: system calls beyond
# those that load it, and memory.
#
#	startup.sh LIBRARY FOOTPRINT
#
# FOOTPRINT is the program of that name, see footprint.c.
set -euo pipefail

calls_limit=12
memory_limit=350 # KiB
runs=21

library=$(realpath "$1")
footprint=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MALLOC_PERTURB_ LD_PRELOAD
export LC_ALL=C

if ! strace -o "$work/probe" /bin/true; then
	echo "this system lets nobody be traced, so nothing was measured"
	exit 77
fi

# The calls of a trace by name and number of times, without those that load the
# library: from the openat(2) of its file to the close(2) that follows, where
# ld.so reads its headers and maps its segments, and the mprotect(2) that later
# makes its relocated part read-only.
count_calls()
{
	awk -v library="$library" '
		index($0, "openat(") && index($0, library) { loading = 1 }
		loading && /^mmap\(/ && !relro {
			base = $NF
			split($0, part, ", ")
			bytes = part[2]
			relro = 1
		}
		!loading && /^mprotect\(/ && relro && inside($1) { next }
		!loading && /^[a-z0-9_]+\(/ {
			sub(/\(.*/, "")
			count[$0]++
		}
		loading && /^close\(/ { loading = 0 }
		END {
			for (name in count)
				print name, count[name]
		}

		# Is the address in "mprotect(0xADDRESS," in the library?
		function inside(call) {
			sub(/.*\(0x/, "", call)
			sub(/,$/, "", call)
			return number(call) >= number(substr(base, 3)) &&
				number(call) < number(substr(base, 3)) + bytes
		}

		function number(hex,   i, value) {
			for (i = 1; i <= length(hex); i++)
				value = value * 16 + index("123456789abcdef", \
					substr(hex, i, 1))
			return value
		}' "$1" | sort
}

# The middle one of many runs of "$@", which prints a number.
median()
{
	local i

	for ((i = 0; i < runs; i++)); do
		"$@"
	done | sort -n | sed -n "$((runs / 2 + 1))p"
}

strace -o "$work/plain.trace" /bin/true
strace -E LD_PRELOAD="$library" -o "$work/preloaded.trace" /bin/true
grep -qF "$library" "$work/preloaded.trace"
count_calls "$work/plain.trace" >"$work/plain"
count_calls "$work/preloaded.trace" >"$work/preloaded"

# A call that the library spares does not pay for another one.
echo "system calls beyond loading the library:"
join -a 2 -e 0 -o 0,1.2,2.2 "$work/plain" "$work/preloaded" |
	awk '$3 > $2 { print "  " $1, $3 - $2 }' | tee "$work/more"
calls=$(awk '{ sum += $2 } END { print sum + 0 }' "$work/more")
echo "  together $calls, limit $calls_limit"

plain=$(median "$footprint" /bin/true)
preloaded=$(median env LD_PRELOAD="$library" "$footprint" /bin/true)
more=$((preloaded - plain))
echo "memory: $plain KiB, with the library $preloaded KiB:" \
	"$more more, limit $memory_limit"

((calls <= calls_limit && more <= memory_limit))
