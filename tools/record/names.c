/* SPDX-License-Identifier: MIT */
/*
 * libc's names of the malloc family: each calls the allocator behind, and says
 * so to the log. The operators of C++ are preload/operators.c, on top of these.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "next.h"

#define EXPORT __attribute__((visibility("default")))

/* Functions of C23, which no header here declares yet. */
EXPORT void free_sized(void *block, size_t size);
EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);

EXPORT void *malloc(size_t size)
{
	void *block = next()->malloc(size);

	log_alloc(TRACE_MALLOC, block, size);
	return block;
}

/* A block is only returned if the product is no overflow. */
EXPORT void *calloc(size_t count, size_t size)
{
	void *block = next()->calloc(count, size);

	log_alloc(TRACE_CALLOC, block, count * size);
	return block;
}

EXPORT void *realloc(void *old, size_t size)
{
	uint64_t number = log_realloc_begin(old);
	void *block = next()->realloc(old, size);

	log_realloc_end(number, old, block, size);
	return block;
}

EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

EXPORT void free(void *block)
{
	log_free(block);
	if (!next_is_early(block))
		next()->free(block);
}

EXPORT void free_sized(void *block, size_t size)
{
	(void)size;
	free(block);
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	free(block);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	void *block = next()->aligned_alloc(alignment, size);

	log_aligned(block, alignment, size);
	return block;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	void *block = next()->memalign(alignment, size);

	log_aligned(block, alignment, size);
	return block;
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
	int error = next()->posix_memalign(ret_block, alignment, size);

	if (!error)
		log_aligned(*ret_block, alignment, size);
	return error;
}

EXPORT void *valloc(size_t size)
{
	void *block = next()->valloc(size);

	log_aligned(block, (size_t)getpagesize(), size);
	return block;
}

EXPORT void *pvalloc(size_t size)
{
	size_t last = (size_t)getpagesize() - 1;
	void *block = next()->pvalloc(size);

	log_aligned(block, last + 1, (size + last) & ~last);
	return block;
}

EXPORT size_t malloc_usable_size(void *block)
{
	log_usable_size(block);
	return next()->malloc_usable_size(block);
}
