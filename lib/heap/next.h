/* SPDX-License-Identifier: MIT */
/* The allocator that owns what we don't. Private to heap/. */
#ifndef HEAP_NEXT_H
#define HEAP_NEXT_H

#include <stddef.h>

/* Give @block to the next allocator, or panic if that doesn't know it. */
void next_free(void *block);

/* Bytes of @block, which the next allocator owns; panics if it doesn't. */
size_t next_usable_size(const void *block);

#endif
