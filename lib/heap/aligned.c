/* SPDX-License-Identifier: MIT */
/* Allocate at a multiple of something: the hot paths, and when they miss. */
#include "heap/heap.h"

#include <errno.h>

/* An object of a class whose size is a multiple of @align, from the arrays. */
static ALWAYS_INLINE bool pop_aligned(size_t align, size_t size,
				      void **ret_object)
{
	return size <= SLAB_SIZE_MAX && heap_spend(size) &&
	       cpu_array_pop(size_class_aligned(size, align), ret_object);
}

static COLD void *aligned_slow(size_t align, size_t size)
{
	if (is_power_of_two(align))
		return heap_alloc(size, align, 0);
	errno = EINVAL;
	return NULL;
}

void *sm_aligned_alloc(size_t align, size_t size)
{
	void *object;

	if (unlikely(align - 1 >= SLAB_ALIGN_MAX || (align & (align - 1)) ||
		     !pop_aligned(align, size, &object)))
		return aligned_slow(align, size);
	return object;
}

/* The error is the return value; errno is kept. */
static COLD int posix_memalign_slow(void **ret_block, size_t align, size_t size)
{
	int saved_errno = errno;
	void *block;

	if (!is_power_of_two(align) || align < sizeof(void *))
		return EINVAL;
	block = heap_alloc(size, align, 0);
	errno = saved_errno;
	if (!block)
		return ENOMEM;
	*ret_block = block;
	return 0;
}

int sm_posix_memalign(void **ret_block, size_t align, size_t size)
{
	void *object;

	if (unlikely(align - sizeof(void *) > SLAB_ALIGN_MAX - sizeof(void *) ||
		     (align & (align - 1)) ||
		     !pop_aligned(align, size, &object)))
		return posix_memalign_slow(ret_block, align, size);
	*ret_block = object;
	return 0;
}
