/* SPDX-License-Identifier: MIT */
/* The blocks that are live, by address: which number each of them has. */
#ifndef RECORD_BLOCKS_H
#define RECORD_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
	const void *address; /* NULL: no block here */
	uint64_t number;     /* from 1 */
};

/* A hash table with linear probing; zeroed memory is an empty one. */
struct blocks {
	struct block *table;
	size_t room; /* a power of two, or 0 */
	size_t count;
};

/* Enter @address, or give it a new number; false if there is no memory. */
bool blocks_put(struct blocks *blocks, const void *address, uint64_t number);

/* Its number, or 0 for one that isn't here. */
uint64_t blocks_find(const struct blocks *blocks, const void *address);

/* The same, and it is not here any more. */
uint64_t blocks_take(struct blocks *blocks, const void *address);

#endif
