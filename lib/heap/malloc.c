/* SPDX-License-Identifier: MIT */
/*
 * The hot paths of malloc and free, and what they are for a run of pages.
 * Nothing else is in this file.
 *
 * Neither loops, waits, locks or calls anything; whatever the arrays of this
 * CPU don't answer at once is in malloc_slow.c. tests/fastpath holds both to
 * their number of instructions.
 */
#include "heap/heap.h"

/* What a run takes off the budget: a small part of it, since what comes out of
 * an array adds nothing to what is in use. */
enum {
	RUN_COST = 4096
};

/* A run, or what the arrays don't have. */
static NOINLINE void *malloc_run(size_t size)
{
	void *run;

	if (size > SLAB_SIZE_MAX && size <= RUN_BYTES_MAX &&
	    heap_spend(RUN_COST) && run_pop(size, &run))
		return run;
	return heap_alloc(size, SM_ALIGN_MIN, 0);
}

void *sm_malloc(size_t size)
{
	void *object;

	if (unlikely(size > SLAB_SIZE_MAX || !heap_spend(size)))
		return malloc_run(size);
	if (unlikely(!cpu_array_pop(size_class_of(size), &object)))
		return malloc_run(size);
	return object;
}

/* The offset in the first zone, in granules; the bits of a misaligned address
 * come out on top and make it too large, as NULL and foreign ones are. */
static ALWAYS_INLINE size_t granule_of(const void *block)
{
	size_t offset = (uintptr_t)block - page_window.start;

	return offset >> 4 | offset << (WORD_BITS - 4);
}

/* Free a run, or pass on what is none. @block is in the first zone. */
static NOINLINE void free_run(void *block)
{
	if (!run_push(block, page_find_near(block)))
		heap_free(block);
}

/* The window may grow meanwhile, but its part that holds a live block stays. As
 * an atomic, its size would be loaded by an instruction more. */
READS_RACY void sm_free(void *block)
{
	size_t granule = granule_of(block);
	unsigned int class;

	if (unlikely(granule >= page_window.granules)) {
		heap_free(block);
		return;
	}
	class = page_window.frame_classes[granule >> (FRAME_SHIFT - 4)];
	if (unlikely(!cpu_array_push(class, block)))
		free_run(block);
}
