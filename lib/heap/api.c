/* SPDX-License-Identifier: MIT */
/* The rest of <slubmalloc/malloc.h>: zeroed, aligned, sized, with flags. */
#include "heap/heap.h"

#include <errno.h>
#include <string.h>

/* Blocks below this are zeroed without asking whether they're zero already. */
enum {
	ASK_ZERO_MIN = 1 << PAGE_SHIFT_MIN
};

const char *sm_version(void)
{
#define NUMBER(n) #n
#define TEXT(n)	  NUMBER(n)
	return TEXT(SM_VERSION_MAJOR) "." TEXT(SM_VERSION_MINOR) "." TEXT(
		SM_VERSION_PATCH);
#undef TEXT
#undef NUMBER
}

void *sm_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *block;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	if (bytes >= ASK_ZERO_MIN)
		return heap_alloc(bytes, SM_ALIGN_MIN, SM_ZERO);
	block = sm_malloc(bytes);
	return block ? memset(block, 0, bytes) : NULL;
}

void *sm_alloc(size_t size, unsigned int flags)
{
	void *block;

	if (!flags_are_valid(flags))
		return NULL;
	if (size <= (flags & SM_ZERO ? ASK_ZERO_MIN - 1 : SLAB_SIZE_MAX) &&
	    cpu_array_pop(size_class_of(size), &block))
		return flags & SM_ZERO ? memset(block, 0, size) : block;
	return heap_alloc(size, SM_ALIGN_MIN, flags);
}

void *sm_aligned_alloc(size_t alignment, size_t size)
{
	if (!is_power_of_two(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	if (alignment <= SM_ALIGN_MIN)
		return sm_malloc(size);
	return heap_alloc(size, alignment, 0);
}

void sm_free_sized(void *block, size_t size)
{
	(void)size;
	sm_free(block);
}

void sm_free_aligned_sized(void *block, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	sm_free(block);
}

void sm_set_retain(size_t bytes)
{
	if (heap_ready())
		pages_set_retain(bytes);
}

int sm_trim(size_t keep)
{
	size_t bytes = 0;

	if (!heap_ready() || !gate_enter(GATE_LONG))
		return 0;
	deferred_run();
	caches_shrink();
	bytes += vma_trim();
	bytes += pages_trim(keep);
	gate_leave();
	return bytes > 0;
}
