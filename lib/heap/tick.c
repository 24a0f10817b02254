/* SPDX-License-Identifier: MIT */
/*
 * The heartbeat: what the kernel does in kworkers is done in slow paths, now
 * and then, since there is no thread of our own to do it.
 *
 * A program that has gone quiet may find all it asks for in the arrays, and
 * never come to a slow path. So each thread has a budget of bytes: the hot path
 * takes what it allocates off, and once that is used up, looks at the clock.
 * The budget is small while memory waits to be given back, and very small for a
 * thread that does little. Slow paths take a sum off each, so that those who
 * only free look at the clock, too.
 *
 * When memory begins to wait, all arrays are emptied, and thereby closed: so
 * every thread comes to a slow path with its next operation, and learns of it.
 */
#include "heap/heap.h"

enum {
	BEAT_MS = 50,	       /* between two beats */
	RELIEVE_MS = 250,      /* between two looks at the caches */
	RELIEVE_MS_MAX = 1000, /* the same, where they take their time: */
	RELIEVE_COST = 100,    /* up to a 100th of it */
	SLOW_BYTES = 32 << 10, /* off the budget, for a call of a slow path */
	BUDGET = 256 << 10,    /* when nothing waits */
	BUDGET_BUSY = 64 << 10,
	BUDGET_QUIET = 1 << 10,
	BUSY_MS = 8, /* between two looks, at most, of a busy thread */
};

/* Two beats at once, where one takes longer than that, do no harm. */
static struct {
	_Atomic uint64_t next;	      /* [atomic] ms, when it's due */
	_Atomic uint64_t next_relief; /* [atomic] the same for the caches */
	atomic_bool is_waiting;	      /* [atomic] memory, to be given back */
} beat;

static THREAD_LOCAL uint64_t last_look; /* ms */

static bool memory_is_waiting(void)
{
	return atomic_load_explicit(&beat.is_waiting, memory_order_relaxed);
}

/* Empty the caches' stocks where that sets slabs free, or, if @has_begun, to
 * close the arrays. Whether slabs wait for it, or did. */
static bool relieve_caches(uint64_t now, bool has_begun)
{
	bool are_sparse = caches_are_sparse();
	uint64_t took;

	if (now < beat.next_relief || !(are_sparse || has_begun))
		return are_sparse;
	caches_shrink();
	took = os_coarse_ms() - now;
	beat.next_relief = now + clamp_size(RELIEVE_COST * took, RELIEVE_MS,
					    RELIEVE_MS_MAX);
	return are_sparse;
}

static bool beat_is_due(uint64_t now)
{
	return now >= atomic_load_explicit(&beat.next, memory_order_relaxed);
}

static void beat_if_due(uint64_t now)
{
	uint64_t due = atomic_load_explicit(&beat.next, memory_order_relaxed);
	bool is_waiting;

	/* One thread does it, and nobody waits. */
	if (now < due ||
	    !atomic_compare_exchange_strong(&beat.next, &due, now + BEAT_MS))
		return;
	is_waiting = vma_tick(now);
	is_waiting |= pages_tick(now);
	is_waiting |= caches_sweep(now);
	is_waiting |= relieve_caches(now, is_waiting && !memory_is_waiting());
	atomic_store_explicit(&beat.is_waiting, is_waiting,
			      memory_order_relaxed);
}

static void renew_budget(uint64_t now)
{
	if (!memory_is_waiting())
		os_thread.budget = BUDGET;
	else if (now - last_look <= BUSY_MS)
		os_thread.budget = BUDGET_BUSY;
	else
		os_thread.budget = BUDGET_QUIET;
	last_look = now;
}

void heap_tick_later(void)
{
	os_thread.budget = BUDGET;
}

void heap_tick(void)
{
	uint64_t now;

	os_thread.budget -= SLOW_BYTES;
	if (likely(os_thread.budget >= 0 && !memory_is_waiting()))
		return;
	now = os_coarse_ms();
	beat_if_due(now);
	renew_budget(now);
}

void heap_look(void)
{
	uint64_t now = os_coarse_ms();

	if (beat_is_due(now) && heap_ready() && gate_enter(GATE_NOW)) {
		beat_if_due(now);
		gate_leave();
	}
	renew_budget(now);
}
