/* SPDX-License-Identifier: MIT */
/* The allocator behind the recorder: whose malloc() would be called without. */
#ifndef RECORD_NEXT_H
#define RECORD_NEXT_H

#include <stddef.h>

struct next {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t count, size_t size);
	void *(*realloc)(void *block, size_t size);
	void (*free)(void *block);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	int (*posix_memalign)(void **ret_block, size_t alignment, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
	size_t (*malloc_usable_size)(void *block);
};

/* Its functions; while they are looked for, a few that serve the search. */
const struct next *next(void);

/* Whether @block is one that was given out during the search. */
int next_is_early(const void *block);

#endif
