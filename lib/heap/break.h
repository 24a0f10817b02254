/* SPDX-License-Identifier: MIT */
/*
 * A heap of a program's own: a reserved segment of address space whose break
 * moves, and the blocks that the first-fit allocator carves below the break.
 * Linux's mm/mmap.c for brk(2), and mm/slob.c. Private to heap/.
 *
 *	start       first        size       dirty      committed    reserved
 *	  |  bare     |  blocks    |  old bytes |  zeroes    |  untouchable |
 *	  +-----------+------------+------------+------------+--------------+
 *	                         break
 *
 * All but the start are offsets from it. What lies between the break and @dirty
 * has been in use and was not taken back by the system; it is zeroed when the
 * break passes over it again.
 */
#ifndef HEAP_BREAK_H
#define HEAP_BREAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <slubmalloc/heap.h>

#include "os/os.h"

struct sm_heap {
	struct lock lock;
	char *start;	    /* [fixed at creation] of the segment */
	size_t limit;	    /* [fixed at creation] the most that @size may be */
	size_t reserved;    /* [fixed at creation] whole pages */
	atomic_size_t size; /* [lock to write, atomic to read] the break */
	size_t dirty;	    /* [lock] zero from here on; not below the break */
	size_t committed;   /* [lock] whole pages */

	/* The allocator; all of it is zero while the segment is bare. */
	size_t first;	    /* [lock] of the first block; never 0 itself */
	struct list free;   /* [lock] blocks by address */
	size_t used;	    /* [lock] bytes in allocated blocks */
	size_t blocks;	    /* [lock] allocated */
	size_t free_blocks; /* [lock] */
	_Atomic(void *) deferred; /* [atomic] freed where no lock may be taken,
				   * linked by their first word */
};

enum {
	HEAP_LIMIT_SHIFT = 48
}; /* log2 of what no limit may reach */

static inline size_t break_size(struct sm_heap *heap)
{
	return atomic_load_explicit(&heap->size, memory_order_relaxed);
}

/*
 * Pass the gate and take the lock of @heap; false if that can't be done now.
 * After true, break_leave() is due.
 */
bool break_enter(struct sm_heap *heap, bool wait);
void break_leave(struct sm_heap *heap);

/* The same for what cannot fail; a panic if the thread is in the gate. */
void break_enter_always(struct sm_heap *heap);

/*
 * Move the break to @size bytes after the start. When it grows: true, and
 * bytes that it passes read as zero; false, and nothing has changed, at the
 * limit, without memory, or if that took a system call and not @wait. When it
 * shrinks: true, and memory goes back to the system if @wait.
 */
bool break_set_locked(struct sm_heap *heap, size_t size, bool wait);

/* Panic if an invariant of segment or blocks is broken. O(blocks). */
void heap_check(struct sm_heap *heap);

#endif
