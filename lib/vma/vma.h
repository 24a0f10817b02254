/* SPDX-License-Identifier: MIT */
/*
 * Large blocks: each a mapping of its own, in a balanced tree, with a cache of
 * recently freed ones. Linux's mm/vma.c and mm/vmalloc.c. All functions are
 * called inside the gate and may take the lock of rank RANK_VMA.
 */
#ifndef VMA_VMA_H
#define VMA_VMA_H

#include "page/page.h"

struct vma_stats {
	size_t count;	     /* mappings in use */
	size_t bytes;	     /* in them */
	size_t allocs;	     /* mappings ever given out */
	size_t hits;	     /* of them, from the cache */
	size_t cached;	     /* freed mappings that are kept */
	size_t cached_bytes; /* in them */
};

/*
 * A mapping of at least @size bytes at a multiple of @align, a power of two of
 * any size. @flags of enum sm_flags: with SM_ZERO all its bytes are zero;
 * SM_NOWAIT succeeds only from the cache. NULL if there is none.
 */
void *vma_alloc(size_t size, size_t align, unsigned int flags);

/* Free the mapping that starts at @start, which is kept for a while: that makes
 * no system call. False if there's none such. */
bool vma_free(void *start);

/* Bytes of the mapping that starts at @start, or 0 if there's none such. */
size_t vma_size(const void *start);

/* vma_size() for when nobody is inside the gate: it takes no lock. */
size_t vma_size_quiet(const void *start);

/*
 * Change a mapping to hold @size bytes: in place, else moved by the kernel if
 * @may_move, never copied. A move forgets the alignment that it was allocated
 * with; a growing mapping may get room for more, and a little that it has too
 * much stays. The new start, or NULL with the mapping as it was: also where a
 * copy to another mapping would cost less, and if none starts at @start.
 */
void *vma_resize(void *start, size_t size, bool may_move);

/*
 * Let the cache grow older, if it's time: to be called now and then from slow
 * paths, with no lock held; nothing else ages it. Cheap unless it's time, which
 * is a few times each second; unmaps then. @now_ms of os_coarse_ms(). True if
 * mappings are kept.
 */
bool vma_tick(uint64_t now_ms);

/* Unmap every cached mapping; bytes given back. */
size_t vma_trim(void);

void vma_stats(struct vma_stats *stats);

/* Panic if an invariant is broken. O(n log n) of the mappings. */
void vma_check(void);

#endif
