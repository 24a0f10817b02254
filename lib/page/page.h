/* SPDX-License-Identifier: MIT */
/*
 * Pages: a buddy allocator over zones of address space, with a descriptor for
 * every page. Linux's mm/page_alloc.c.
 *
 * A *zone* is one window of reserved addresses. It is made of *pageblocks* of
 * 2 MiB, the size of a huge page, and a pageblock of *pages*. The first zone is
 * as large as the system allows, so that one comparison tells its addresses
 * from all others; further zones are made when it is full.
 *
 * All functions are called inside the gate, unless they say otherwise.
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include <assert.h>
#include <stdint.h>

#include "arena/arena.h"
#include "page/meta.h"

enum {
	PAGEBLOCK_SHIFT = 21, /* 2 MiB */
	/* The page class map has one byte for each 4 KiB, whatever the size of
	 * a page, so that the hot path shifts by a constant. */
	FRAME_SHIFT = PAGE_SHIFT_MIN,
	PAGE_ORDER_MAX = PAGEBLOCK_SHIFT - PAGE_SHIFT_MIN,
};

static_assert(PAGE_ORDER_MAX == 9, "the pageblock's tree has 1024 nodes");

/* The order of a pageblock with the page size in use. */
static inline unsigned int pageblock_order(void)
{
	return PAGEBLOCK_SHIFT - os_page_shift;
}

static inline size_t pages_per_block(void)
{
	return (size_t)1 << pageblock_order();
}

/* What pages are used for: a pageblock holds pages of one use, if possible, so
 * that a few long-lived objects don't pin many pageblocks (migratetype). */
enum page_use {
	USE_SLAB, /* slabs: many small objects, seldom all free */
	USE_RUN,  /* runs of pages: one block each */
	USE_META, /* the allocator's own: never freed */
	USE_COUNT,
};

/* What a descriptor describes. */
enum page_type {
	PAGE_NONE,   /* free, or not the first page of anything */
	PAGE_RUN,    /* first page of an allocated run */
	PAGE_SLAB,   /* first page of a slab */
	PAGE_CACHED, /* first page of a run in a per-CPU list or array */
	PAGE_META,   /* first page of memory for our own structures */
};

/* The descriptor of a page. Only the first page of a run has a meaning. */
struct page {
	union {
		void *owner;	   /* PAGE_SLAB: its struct slab */
		struct page *next; /* PAGE_CACHED: in its list, if any */
	};
	uint32_t count; /* pages in the run */
	uint8_t type;	/* enum page_type */
	uint8_t use;	/* enum page_use */
	uint16_t unused;
};

static_assert(sizeof(struct page) == 16, "0.4 % of a 4 KiB page");

/*
 * The first zone as the hot paths see it: an address is in it if its offset
 * from the start is below the size; and then a byte for its frame is the number
 * of the object cache it belongs to, or 0. Both are in units that let a
 * rotation by four bits check the alignment as well.
 */
struct page_window {
	uintptr_t start;
	size_t granules;	/* of 16 bytes, up to the break */
	uint8_t *frame_classes; /* one per frame */
	struct page *pages;	/* one per page */
};
extern struct page_window page_window __attribute__((visibility("hidden")));

/* Knobs, set before page_init(); bytes. */
struct page_options {
	size_t window;	   /* address space of the first zone */
	size_t retain;	   /* free memory kept; the rest goes back */
	size_t huge;	   /* of a zone, in small pages; 0: all */
	unsigned int cpus; /* how many per-CPU lists */
};

/* Make the first zone; false if there's no memory for it. */
bool page_init(const struct page_options *options);

/*
 * A run of @count pages at a multiple of @align pages, a power of two; both at
 * most a pageblock. @flags: SM_NOWAIT makes no system call. *@ret_zero tells
 * whether the bytes are known to be zero; it may be NULL. NULL if there is no
 * memory.
 */
void *pages_alloc(size_t count, size_t align, enum page_use use,
		  unsigned int flags, bool *ret_zero);

/* Free the run that starts at @start. */
void pages_free(void *start);

/*
 * Make the run at @start @count pages long without moving it: the tail is
 * freed, or the pages behind it are taken if they are free. False, and no
 * change, if they aren't.
 */
bool pages_resize(void *start, size_t count);

/* The bytes of the first zone up to its break. Needs no gate. */
static inline size_t page_window_bytes(void)
{
	/* Pairs with the release in publish_window(): the tables were there
	 * first. */
	return __atomic_load_n(&page_window.granules, __ATOMIC_ACQUIRE) << 4;
}

/* page_find() and page_class() for addresses outside of the first zone. */
struct page *page_find_beyond(const void *address);
unsigned int page_class_beyond(const void *address);

/* The descriptor of the page at @address, or NULL outside of all zones. Needs
 * no gate. */
static inline struct page *page_find(const void *address)
{
	size_t offset = (uintptr_t)address - page_window.start;

	if (likely(offset < page_window_bytes()))
		return page_window.pages + (offset >> os_page_shift);
	return page_find_beyond(address);
}

/* The same for an address in the first zone. */
static inline struct page *page_find_near(const void *address)
{
	size_t offset = (uintptr_t)address - page_window.start;

	return page_window.pages + (offset >> os_page_shift);
}

/* The number of the cache that owns the frame at @address; 0 if none. Needs no
 * gate. */
static inline unsigned int page_class(const void *address)
{
	size_t offset = (uintptr_t)address - page_window.start;

	if (likely(offset < page_window_bytes()))
		return page_window.frame_classes[offset >> FRAME_SHIFT];
	return page_class_beyond(address);
}

/* Note that the @count pages at @start belong to cache @class; 0: to none. */
void page_set_class(void *start, size_t count, unsigned int class);

/* The run's first byte from its descriptor's address. */
void *page_start(const struct page *page);

/* Give the memory of @count pages in use back; they read as zero then. False if
 * the system refuses, as it does for locked memory. */
bool pages_discard(void *start, size_t count);

/* Give all free memory but @keep bytes back to the system; bytes given back. */
size_t pages_trim(size_t keep);

/* Give back reserved addresses that aren't in use; bytes given back. */
size_t pages_give_back_addresses(void);

/*
 * To be called now and then, with no lock held: gives back what hasn't been in
 * use for half a second to a second, a bounded amount at a time. True if more
 * waits for its time. @now_ms of os_coarse_ms().
 */
bool pages_tick(uint64_t now_ms);

/* Whether fresh memory was taken from the system since the last call. */
bool pages_have_grown(void);

/* Bytes of the pages in use, cached ones too; about. Needs no lock. */
size_t pages_used_bytes(void);

/* Set how much free memory is kept; see struct page_options. */
void pages_set_retain(size_t bytes);
size_t pages_retain(void);

enum {
	WATERMARK_MIN,
	WATERMARK_LOW,
	WATERMARK_HIGH,
	WATERMARKS
};

/* In pages, but for the bytes. */
struct page_stats {
	size_t reserved_bytes;
	size_t committed_bytes;
	size_t returned_bytes;
	size_t free;		       /* in the buddy system */
	size_t free_dirty;	       /* of them, not known to be zero */
	size_t cached;		       /* in the per-CPU lists */
	size_t used[USE_COUNT];	       /* allocated, by use; cached ones too */
	size_t watermarks[WATERMARKS]; /* of the first zone */
	size_t zones;
	size_t free_blocks[PAGE_ORDER_MAX + 1]; /* by order */
	size_t run_allocs;			/* runs ever allocated */
	size_t run_frees;
};
void page_stats(struct page_stats *stats);

/* Panic if an invariant of any zone is broken. */
void page_check(void);

#endif
