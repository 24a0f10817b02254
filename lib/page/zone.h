/* SPDX-License-Identifier: MIT */
/*
 * A zone: one window of addresses, its pageblocks, and where to find a free
 * one. Private to page/.
 *
 * The lists of pageblocks are indexed by use, by the largest free order in the
 * pageblock, and by how full it is. An allocation takes from the pageblock
 * whose largest free order is the smallest that suffices, so that large free
 * blocks last; and among those from the fullest, so that the emptiest become
 * free as a whole and can go back to the system.
 */
#ifndef PAGE_ZONE_H
#define PAGE_ZONE_H

#include "page/pageblock.h"

enum {
	ZONES_MAX = 64,
	FULLNESS_LEVELS = 8,
	EPOCHS = 2, /* whose peaks are remembered */
};

struct zone {
	struct lock lock;
	struct page_window *window; /* [fixed at creation] told of the break, or
				     * NULL */
	struct arena heap;	    /* [lock] the window itself */
	struct arena pages;	    /* [lock] descriptors, one per page */
	struct arena blocks;	    /* [lock] pageblocks, one per 2 MiB */
	struct arena classes; /* [lock] the page class map, a byte per frame */

	/* [lock] heads by use, largest free order, fullness; of those that
	 * aren't empty */
	struct list lists[USE_COUNT + 1][PAGE_ORDER_MAX + 1][FULLNESS_LEVELS];
	/* [lock] bit f: the list of fullness f isn't empty */
	uint8_t nonempty[USE_COUNT + 1][PAGE_ORDER_MAX + 1];

	size_t present;		/* [lock to write, atomic to read] pages */
	size_t free;		/* [lock to write, atomic to read] pages */
	size_t free_dirty;	/* [lock to write, atomic to read] of them */
	size_t used[USE_COUNT]; /* [lock] pages allocated */
	/* [lock to write, atomic to read] most pages in use during an epoch,
	 * the current one first */
	size_t peaks[EPOCHS];
	size_t returned;	   /* [lock] bytes given back to the system */
	size_t scan;		   /* [lock] pageblock where reclaim goes on */
	size_t freed;		   /* [lock] pages ever freed */
	unsigned int reclaim_step; /* [lock] how small the pieces are now */
	size_t reclaim_after; /* [lock] pages freed before it starts over */
	bool reclaiming;      /* [lock] somebody is at it */
};

/* Prepare a zeroed zone, once. */
void zone_init(struct zone *zone);

/* Give a zone without addresses a window of at most @most bytes; false if there
 * is none. */
bool zone_reserve(struct zone *zone, size_t most);

/* Whether the zone has a window. Needs no lock. */
static inline bool zone_is_reserved(const struct zone *zone)
{
	return __atomic_load_n(&zone->heap.reserved, __ATOMIC_RELAXED) > 0;
}

/* Give back addresses that hold no memory; of a @whole zone that isn't used,
 * all of them. Bytes given back. */
size_t zone_give_back_addresses(struct zone *zone, bool whole);

/* As pages_alloc(), from this zone; the page index in it, or -1. */
long zone_take(struct zone *zone, size_t count, size_t align, enum page_use use,
	       unsigned int flags, bool *ret_zero);

/* Whether the window is too short for such a run. If it isn't, a request that
 * failed lacked memory, and another zone would lack it, too. */
bool zone_is_full(struct zone *zone, size_t count, size_t align);

/* Free @count pages from page @first, of @use; true if there are more dirty
 * ones than the high watermark now, and reclaim is due. */
bool zone_give(struct zone *zone, size_t first, size_t count,
	       enum page_use use);

/* Take exactly these pages, for the run of @use in front of them. */
bool zone_take_range(struct zone *zone, size_t first, size_t count,
		     enum page_use use);

/* Put @block on the list where it belongs now. */
void zone_relink_locked(struct zone *zone, struct pageblock *block);

/* Count @pages free pages, of which @dirty aren't known to be zero; negative
 * for pages that are free no more. */
void zone_count_free_locked(struct zone *zone, struct pageblock *block,
			    long pages, long dirty);

/* Pages in use; about. Needs no lock. */
size_t zone_used(const struct zone *zone);

/* Free pages not known to be zero. Needs no lock. */
static inline size_t zone_free_dirty(const struct zone *zone)
{
	return __atomic_load_n(&zone->free_dirty, __ATOMIC_RELAXED);
}

/* A watermark, in pages; see docs/design/page.md. */
size_t zone_watermark(const struct zone *zone, int level);
void zone_set_retain(size_t bytes);
size_t zone_retain(void);

/* Bytes of a zone above which its memory is asked for in huge pages; 0: none.
 */
void zone_set_huge(size_t bytes);

/* Let the next epoch of peaks begin. */
void zone_start_epoch(struct zone *zone);

/* Whether free pages wait for their time to go back. Needs no lock. */
bool zone_has_surplus(const struct zone *zone);

/* Return dirty free pages until @keep are left, with at most @operations system
 * calls. Pages returned. */
size_t zone_reclaim(struct zone *zone, size_t keep, size_t operations);

/* A bounded step from the high towards the low watermark. */
void zone_reclaim_some(struct zone *zone);

/* Whether that is worth a try. */
bool zone_reclaim_is_due_locked(const struct zone *zone);

/* Move the break down below the free pageblocks at the top, the very first one
 * only if @whole; bytes. */
size_t zone_shrink(struct zone *zone, bool whole);

void zone_check(struct zone *zone);

static inline struct pageblock *zone_block(const struct zone *zone, size_t page)
{
	return (struct pageblock *)zone->blocks.start +
	       page / pages_per_block();
}

static inline size_t zone_block_index(const struct zone *zone,
				      const struct pageblock *block)
{
	return (size_t)(block - (struct pageblock *)zone->blocks.start);
}

static inline char *zone_address(const struct zone *zone, size_t page)
{
	return zone->heap.start + (page << os_page_shift);
}

static inline struct page *zone_page(const struct zone *zone, size_t page)
{
	return (struct page *)zone->pages.start + page;
}

/* Pages of the pageblock at @index that are below the break. */
static inline size_t zone_block_present(const struct zone *zone, size_t index)
{
	return min_size(zone->present - index * pages_per_block(),
			pages_per_block());
}

/* The zones, oldest first; @index below zone_count(). Needs no lock. */
size_t zone_count(void);
struct zone *zone_at(size_t index);

/* Make the first zone, of at most @most bytes; false if there's no memory. */
bool zones_init(size_t most);

/* Bytes of all windows. Needs no lock. */
size_t zones_reserved(void);

/*
 * One more zone, as large as all the others together, if those have no room for
 * @count pages: where it's memory that is short, addresses don't help. True if
 * there's a zone that wasn't there when there were @seen bytes of them.
 */
bool zones_add(size_t seen, size_t count, size_t align);

/* The zone whose break is above @address, or NULL. Needs no lock. */
struct zone *zone_of(const void *address);

#endif
