#!/bin/bash
# SPDX-License-Identifier: MIT
# stress-ng's stressors of memory, processes and threads, each with --verify.
set -euo pipefail

# Run "$@" for a bounded number of operations; it says nothing that is the same
# twice but whether it passed.
stress()
{
	local status=0

	stress-ng --temp-path . --verify --no-rand-seed --timeout 8 "$@" \
		>log 2>&1 || status=$?
	echo "$* : $status"
	((status == 0)) || cat log >&2
	if grep -E 'slubmalloc:|fail:' log >&2; then
		exit 1
	fi
}

stress --malloc 2 --malloc-ops 500000
stress --malloc 2 --malloc-ops 200000 --malloc-bytes 64K --malloc-max 20000 \
	--malloc-touch
stress --malloc 1 --malloc-ops 50000 --malloc-thresh 16K --malloc-pthreads 4 \
	--malloc-touch
stress --bigheap 1 --bigheap-ops 4000 --bigheap-growth 64K
stress --brk 1 --brk-ops 50000
stress --mmap 1 --mmap-ops 10 --mmap-bytes 8M
stress --mremap 1 --mremap-ops 20 --mremap-bytes 4M
stress --vm 1 --vm-ops 4000 --vm-bytes 32M
stress --fork 2 --fork-ops 2000
stress --vfork 1 --vfork-ops 1000
stress --clone 1 --clone-ops 100
stress --pthread 1 --pthread-ops 10000
stress --hsearch 1 --hsearch-ops 20
stress --tsearch 1 --tsearch-ops 10
stress --qsort 1 --qsort-ops 5
