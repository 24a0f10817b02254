/* SPDX-License-Identifier: MIT */
/*
 * A pageblock: the binary buddy system of 2 MiB, as a tree in a bitmap.
 *
 * Node 1 is the whole pageblock, the children of node n are its halves 2n and
 * 2n + 1, and the leaves are the pages. A set bit is a *free block*; no
 * ancestor and no descendant of a set node is set, and no two buddies (n and
 * n ^ 1) are: they'd have been merged. The kernel keeps the same blocks on
 * lists by order; a bitmap per pageblock needs no links, answers "how full is
 * this pageblock" at once, and keeps each operation within three cache lines.
 *
 * Private to page/; the zone's lock protects all of it.
 */
#ifndef PAGE_PAGEBLOCK_H
#define PAGE_PAGEBLOCK_H

#include "page/page.h"

enum {
	TREE_WORDS = (2 << PAGE_ORDER_MAX) / WORD_BITS,
	PAGE_WORDS = (1 << PAGE_ORDER_MAX) / WORD_BITS,
	NO_USE = USE_COUNT, /* a pageblock that is free as a whole */
};

struct pageblock {
	struct list link;	    /* in one of the zone's lists */
	uint64_t tree[TREE_WORDS];  /* free blocks */
	uint64_t dirty[PAGE_WORDS]; /* pages not known to be zero */
	uint16_t free_pages;
	uint16_t free_dirty;  /* of them, dirty */
	uint16_t free_orders; /* bit k: there's a free block of order k */
	uint8_t use;	      /* enum page_use, or NO_USE */
	uint8_t fullness;     /* index of the list it's on */
};

/* Take a free block of @order; its first page's index. There must be a free
 * block of @order or above. */
size_t pageblock_take(struct pageblock *block, unsigned int order);

/* Free @count pages from page @first, merging what can be merged. */
void pageblock_free(struct pageblock *block, size_t first, size_t count);

/* Take exactly the @count pages from @first; false if not all are free. */
bool pageblock_take_range(struct pageblock *block, size_t first, size_t count);

/* The largest free order; -1 if nothing is free. */
static inline int pageblock_largest(const struct pageblock *block)
{
	return block->free_orders ? (int)floor_log2(block->free_orders) : -1;
}

/* How many of the @count pages from @first are dirty. */
size_t pageblock_count_dirty(const struct pageblock *block, size_t first,
			     size_t count);

void pageblock_set_dirty(struct pageblock *block, size_t first, size_t count);
void pageblock_clear_dirty(struct pageblock *block, size_t first, size_t count);

/*
 * The largest free block of order @least or above that has a dirty page: its
 * first page, with its length in *@ret_count. -1 if none.
 */
long pageblock_find_dirty(const struct pageblock *block, unsigned int least,
			  size_t *ret_count);

/* Add the number of free blocks of each order to @counts. */
void pageblock_count_free(const struct pageblock *block, size_t *counts);

/* Panic if an invariant is broken. */
void pageblock_check(const struct pageblock *block);

#endif
