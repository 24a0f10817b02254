/* SPDX-License-Identifier: MIT */
/* The rest of <slubmalloc/malloc.h>: zeroed, sized, with flags. */
#include "heap/heap.h"

#include <errno.h>
#include <string.h>

const char *sm_version(void)
{
#define NUMBER(n) #n
#define TEXT(n)	  NUMBER(n)
	return TEXT(SM_VERSION_MAJOR) "." TEXT(SM_VERSION_MINOR) "." TEXT(
		SM_VERSION_PATCH);
#undef TEXT
#undef NUMBER
}

static COLD void *calloc_slow(size_t count, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes))
		return heap_alloc(bytes, SM_ALIGN_MIN, SM_ZERO);
	errno = ENOMEM;
	return NULL;
}

void *sm_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *object;

	if (unlikely(__builtin_mul_overflow(count, size, &bytes) ||
		     bytes > SLAB_SIZE_MAX || !heap_spend(bytes) ||
		     !cpu_array_pop(size_class_of(bytes), &object)))
		return calloc_slow(count, size);
	return memset(object, 0, bytes);
}

void *sm_alloc(size_t size, unsigned int flags)
{
	void *object;

	if (unlikely(flags) && !flags_are_valid(flags))
		return NULL;
	if (unlikely(size > SLAB_SIZE_MAX || !heap_spend(size) ||
		     !cpu_array_pop(size_class_of(size), &object)))
		return heap_alloc(size, SM_ALIGN_MIN, flags);
	return flags & SM_ZERO ? memset(object, 0, size) : object;
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
