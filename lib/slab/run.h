/* SPDX-License-Identifier: MIT */
/*
 * Runs of pages in the per-CPU arrays: the hot halves of their allocation and
 * free, and what those need. Part of slab.h.
 */
#ifndef SLAB_RUN_H
#define SLAB_RUN_H

#include "page/page.h"
#include "slab/cpu_array.h"
#include "slab/size_class.h"

enum {
	RUN_PAGES_MAX = RUN_BYTES_MAX >> PAGE_SHIFT_MIN,
};

/* [fixed at slab_init()] */
extern struct run_classes {
	uint8_t by_frames[RUN_PAGES_MAX + 1]; /* for a block of so many frames
					       */
	uint8_t by_pages[RUN_PAGES_MAX + 1];  /* whose array takes a run of so
					       * many pages; 0 if none does */
} run_classes __attribute__((visibility("hidden")));

/* The descriptor of the run that starts at @address; NULL if none does. Needs
 * no gate. */
static inline struct page *run_find(const void *address)
{
	struct page *page = page_find(address);

	if (!page || page->type != PAGE_RUN ||
	    ((uintptr_t)address & (os_page_bytes() - 1)) != 0)
		return NULL;
	return page;
}

/* Take a run for @size bytes from this CPU's array; false if there is none. */
static inline bool run_pop(size_t size, void **ret_run)
{
	size_t frames = (size + (1 << FRAME_SHIFT) - 1) >> FRAME_SHIFT;

	if (!cpu_array_pop(run_classes.by_frames[frames], ret_run))
		return false;
	page_find(*ret_run)->type = PAGE_RUN;
	return true;
}

/*
 * Put the block at @run, whose descriptor is @page, in this CPU's array; false
 * if it's no run, or there is no room. It is marked first: once it's in there,
 * somebody may take it.
 */
static ALWAYS_INLINE bool run_push(void *run, struct page *page)
{
	if (page->type != PAGE_RUN || page->count > RUN_PAGES_MAX ||
	    ((uintptr_t)run & (os_page_bytes() - 1)) != 0)
		return false;
	page->type = PAGE_CACHED;
	if (cpu_array_push(run_classes.by_pages[page->count], run))
		return true;
	page->type = PAGE_RUN;
	return false;
}

/* The same where no thread runs sequences. */
bool run_pop_slot(size_t size, void **ret_run);
bool run_push_slot(void *run);

#endif
