/* SPDX-License-Identifier: MIT */
/*
 * Memory for the allocator's own structures: the role of memblock and of the
 * kernel's bootstrap caches. Pages that come here stay here.
 */
#ifndef PAGE_META_H
#define PAGE_META_H

#include <stddef.h>

/* The largest structure, in bytes. */
enum {
	META_BYTES_MAX = 8192
};

/*
 * @bytes of zeroes, aligned to 16 bytes, or to a cache line from 64 bytes up;
 * NULL if there is no memory, or if it would take a system call and @flags has
 * SM_NOWAIT.
 */
void *meta_alloc(size_t bytes, unsigned int flags);

/* Give back what meta_alloc() gave, with the same @bytes. */
void meta_free(void *object, size_t bytes);

#endif
