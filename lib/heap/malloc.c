/* SPDX-License-Identifier: MIT */
/*
 * The hot paths of malloc and free. Nothing else is in this file.
 *
 * Neither loops, waits, locks or calls anything; whatever the arrays of this
 * CPU don't answer at once is in malloc_slow.c. tests/fastpath holds both to
 * their number of instructions.
 */
#include "heap/heap.h"

static COLD void *malloc_slow(size_t size)
{
	return heap_alloc(size, SM_ALIGN_MIN, 0);
}

/* Whether the heartbeat may let that many bytes pass without a look at the
 * clock. */
static ALWAYS_INLINE bool spend(size_t bytes)
{
	os_thread.budget -= (int64_t)bytes;
	return os_thread.budget >= 0;
}

void *sm_malloc(size_t size)
{
	void *object;

	if (unlikely(size > SLAB_SIZE_MAX || !spend(size)))
		return malloc_slow(size);
	if (unlikely(!cpu_array_pop(size_class_of(size), &object)))
		return malloc_slow(size);
	return object;
}

/* The offset in the first zone, in granules; the bits of a misaligned address
 * come out on top and make it too large, as NULL and foreign ones are. */
static ALWAYS_INLINE size_t granule_of(const void *block)
{
	size_t offset = (uintptr_t)block - page_window.start;

	return offset >> 4 | offset << (WORD_BITS - 4);
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
		heap_free(block);
}
