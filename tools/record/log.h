/* SPDX-License-Identifier: MIT */
/*
 * The calls of all threads, put into one order and written down.
 *
 * A block is entered after the allocator has returned it and struck out before
 * it is given back, so that whatever the threads do, a number never has two
 * blocks and an address never two numbers: the order is one that the program
 * could have run in. Only the writing is in turns, not the calls themselves.
 */
#ifndef RECORD_LOG_H
#define RECORD_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "trace.h"

/* malloc() or calloc() has returned @block; nothing is logged for NULL. */
void log_alloc(enum trace_op op, const void *block, size_t size);

void log_aligned(const void *block, size_t alignment, size_t size);

/* The program gives @block, or NULL, back. */
void log_free(const void *block);

void log_usable_size(const void *block);

/* realloc() is about to take @block away: its number, 0 if it has none. */
uint64_t log_realloc_begin(const void *block);

/* realloc() has made @number of @old into @block. NULL: @old is as it was. */
void log_realloc_end(uint64_t number, const void *old, const void *block,
		     size_t size);

#endif
