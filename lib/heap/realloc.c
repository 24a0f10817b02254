/* SPDX-License-Identifier: MIT */
/* Grow and shrink a block: in place, by moving pages, or by copying. */
#include "heap/heap.h"

#include <errno.h>
#include <string.h>

#include "heap/next.h"

/* An object may shrink in place as long as it keeps half of itself busy. */
static ALWAYS_INLINE bool is_worth_keeping(size_t size, size_t usable)
{
	return size - 1 < usable && size >= usable / 2;
}

/*
 * A run has the pages of its class; as it shrinks, it keeps an eighth more. It
 * grows to the next class where it is, if it can: the pages behind it are more
 * likely to be free than a longer run, and nothing is copied.
 */
static bool resize_run(void *block, size_t size, size_t usable)
{
	bool ok;

	if (size <= usable && size >= usable - usable / 8)
		return true;
	if (size <= SLAB_SIZE_MAX || size > RUN_BYTES_MAX ||
	    !gate_enter(GATE_BRIEFLY))
		return false;
	ok = run_resize(block, size);
	gate_leave();
	return ok;
}

static void *resize_mapping(void *block, size_t size)
{
	void *resized;

	if (size <= RUN_BYTES_MAX || !gate_enter(GATE_BRIEFLY))
		return NULL;
	resized = vma_resize(block, size, true);
	gate_leave();
	return resized;
}

/* The block with its new size, or NULL if its bytes must be copied. */
static void *resize_block(void *block, const struct block_info *old,
			  size_t size)
{
	if (old->kind == BLOCK_RUN)
		return resize_run(block, size, old->size) ? block : NULL;
	if (old->kind == BLOCK_MAPPING)
		return resize_mapping(block, size);
	return is_worth_keeping(size, old->size) ? block : NULL;
}

static void *move_block(void *block, size_t usable, size_t size)
{
	void *moved = sm_malloc(size);

	if (!moved)
		return NULL;
	memcpy(moved, block, min_size(usable, size));
	return moved;
}

static void *realloc_foreign(void *block, size_t size)
{
	void *moved = move_block(block, next_usable_size(block), size);

	if (moved)
		next_free(block);
	return moved;
}

static NOINLINE void *realloc_slow(void *block, size_t size)
{
	struct block_info old;
	void *resized;

	if (!block)
		return sm_malloc(size);
	if (size == 0) {
		sm_free(block);
		return NULL;
	}
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	old = block_find(block);
	if (old.kind == BLOCK_UNKNOWN) {
		errno = ENOMEM;
		return NULL;
	}
	if (old.kind == BLOCK_NONE)
		return realloc_foreign(block, size);
	resized = resize_block(block, &old, size);
	if (resized)
		return resized;
	resized = move_block(block, old.size, size);
	if (resized)
		sm_free(block);
	return resized;
}

void *sm_realloc(void *block, size_t size)
{
	if (likely(is_worth_keeping(size, object_size(block))))
		return block;
	return realloc_slow(block, size);
}
