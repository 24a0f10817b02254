/* SPDX-License-Identifier: MIT */
/*
 * A futex mutex with a rank.
 *
 * The ranks are the lock order: a thread that holds a lock may take only locks
 * of a later rank. Builds with checks panic where that is broken. Locks are
 * taken only inside the gate (os/gate.h), which is why a lock is never held
 * across fork and never by the code that a signal handler interrupted.
 */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

/* Outermost first. */
enum lock_rank {
	RANK_CACHES,  /* the list of caches; create, destroy, shrink, drain */
	RANK_HEAP,    /* one struct sm_heap */
	RANK_VMA,     /* the tree of mappings and its cache */
	RANK_CACHE,   /* a cache: its slabs and partial lists */
	RANK_BARN,    /* the sheaves of a cache */
	RANK_META,    /* the allocator's own structures */
	RANK_PCP,     /* one CPU's list of free pages */
	RANK_WINDOWS, /* the table of zones */
	RANK_ZONE,    /* a zone: its buddy system and its arena */
	RANK_COUNT,
};

struct lock {
	atomic_uint state;   /* 0 free, 1 held, 2 held and waited for */
	enum lock_rank rank; /* [fixed at creation] */
};

#define LOCK_INIT(lock_rank)                    \
	{                                       \
		.state = 0, .rank = (lock_rank) \
	}

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_acquire(struct lock *lock);
/* False if it is held; never waits, never enters the kernel. */
bool lock_try(struct lock *lock);
void lock_release(struct lock *lock);

/* lock_try() if @wait is false, else lock_acquire() and true. */
bool lock_acquire_if(struct lock *lock, bool wait);

/* The first line of every function whose name ends in _locked. */
static inline bool lock_is_held(struct lock *lock)
{
	return atomic_load_explicit(&lock->state, memory_order_relaxed) != 0;
}

/* Futexes for the gate as well: wait while *@word is @value, at most
 * @timeout_ms (0: for ever); false if the time ran out. */
bool os_futex_wait(atomic_uint *word, unsigned int value,
		   unsigned int timeout_ms);
void os_futex_wake_all(atomic_uint *word);

#endif
