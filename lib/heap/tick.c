/* SPDX-License-Identifier: MIT */
/*
 * The heartbeat: what the kernel does in kworkers is done in slow paths, now
 * and then, since there is no thread of our own to do it.
 */
#include "heap/heap.h"

enum {
	CALLS_PER_LOOK = 32, /* slow paths between two looks at the clock */
	RELIEVE_MS = 1000,   /* between two looks at the caches */
};

static _Atomic uint64_t next_relief; /* [atomic] ms, when caches are due */
static THREAD_LOCAL unsigned int calls;

void heap_tick(void)
{
	uint64_t now, due;

	if (likely(++calls % CALLS_PER_LOOK != 0))
		return;
	vma_tick();
	now = os_coarse_ms();
	due = atomic_load_explicit(&next_relief, memory_order_relaxed);
	/* One thread does it, and nobody waits. */
	if (now >= due && atomic_compare_exchange_strong(&next_relief, &due,
							 now + RELIEVE_MS))
		caches_relieve();
}
