/* SPDX-License-Identifier: MIT */
/*
 * The heartbeat: what the kernel does in kworkers is done in slow paths, now
 * and then, since there is no thread of our own to do it.
 *
 * A program that has gone quiet may find all it asks for in the arrays, and
 * never come to a slow path. So each thread has a budget of bytes: the hot path
 * takes what it allocates off, and once that is used up, looks at the clock.
 * The budget is small while memory waits to be given back. Slow paths take a
 * sum off each, so that those who only free look at the clock, too.
 */
#include "heap/heap.h"

enum {
	BEAT_MS = 50,	       /* between two beats */
	RELIEVE_MS = 250,      /* between two looks at the caches */
	RELIEVE_COST = 100,    /* they take at most a 100th of the time */
	SLOW_BYTES = 32 << 10, /* off the budget, for a call of a slow path */
	BUDGET = 1 << 20,      /* when nothing waits */
	BUDGET_WAITING = 16 << 10,
};

/* Two beats at once, where one takes longer than that, do no harm. */
static struct {
	_Atomic uint64_t next;	      /* [atomic] ms, when it's due */
	_Atomic uint64_t next_relief; /* [atomic] the same for the caches */
	atomic_bool is_waiting;	      /* [atomic] memory, to be given back */
} beat;

/* Empty the caches' stocks where that sets slabs free. */
static bool relieve_caches(uint64_t now)
{
	bool were_sparse;

	if (now < beat.next_relief)
		return false;
	were_sparse = caches_relieve();
	beat.next_relief =
		now +
		max_size(RELIEVE_MS, RELIEVE_COST * (os_coarse_ms() - now));
	return were_sparse;
}

static void beat_if_due(void)
{
	uint64_t now = os_coarse_ms();
	uint64_t due = atomic_load_explicit(&beat.next, memory_order_relaxed);
	bool is_waiting;

	/* One thread does it, and nobody waits. */
	if (now < due ||
	    !atomic_compare_exchange_strong(&beat.next, &due, now + BEAT_MS))
		return;
	is_waiting = vma_tick(now);
	is_waiting |= relieve_caches(now);
	is_waiting |= caches_sweep(now);
	is_waiting |= pages_tick(now);
	atomic_store_explicit(&beat.is_waiting, is_waiting,
			      memory_order_relaxed);
}

static void renew_budget(void)
{
	os_thread.budget =
		atomic_load_explicit(&beat.is_waiting, memory_order_relaxed)
			? BUDGET_WAITING
			: BUDGET;
}

void heap_tick_later(void)
{
	renew_budget();
}

void heap_tick(void)
{
	os_thread.budget -= SLOW_BYTES;
	if (likely(os_thread.budget >= 0))
		return;
	beat_if_due();
	renew_budget();
}

void heap_look(void)
{
	if (heap_ready() && gate_enter(GATE_NOW)) {
		beat_if_due();
		gate_leave();
	}
	renew_budget();
}
