/* SPDX-License-Identifier: MIT */
/* <slubmalloc/pages.h>: pages for programs. */
#include <errno.h>
#include <string.h>

#include "heap/heap.h"

size_t sm_page_size(void)
{
	return heap_ready() ? os_page_bytes() : (size_t)1 << PAGE_SHIFT_MIN;
}

unsigned int sm_pages_order_max(void)
{
	return heap_ready() ? pageblock_order() : 0;
}

static void *alloc_inside_gate(size_t count, size_t align, unsigned int flags)
{
	bool is_zero;
	void *run;

	if (!heap_ready() ||
	    !gate_enter(flags & SM_NOWAIT ? GATE_NOW : GATE_LONG))
		return NULL;
	run = pages_alloc(count, align, USE_RUN, flags, &is_zero);
	gate_leave();
	if (run && (flags & SM_ZERO) && !is_zero)
		memset(run, 0, count << os_page_shift);
	return run;
}

static void *alloc_pages(size_t count, size_t align, unsigned int flags)
{
	void *run;

	do {
		run = alloc_inside_gate(count, align, flags);
	} while (!run && (flags & SM_NOFAIL) &&
		 nofail_retry(count << os_page_shift));
	if (!run)
		errno = ENOMEM;
	return run;
}

void *sm_pages_alloc(unsigned int order, unsigned int flags)
{
	if (!flags_are_valid(flags))
		return NULL;
	if (order > sm_pages_order_max()) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_pages((size_t)1 << order, (size_t)1 << order, flags);
}

void *sm_pages_alloc_exact(size_t count, unsigned int flags)
{
	if (!flags_are_valid(flags))
		return NULL;
	if (count == 0 || count > (size_t)1 << sm_pages_order_max()) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_pages(count, 1, flags);
}

void sm_pages_free(void *start)
{
	if (start && block_find(start).kind != BLOCK_RUN)
		panic("sm_pages_free: pointer is not the start of pages",
		      start);
	sm_free(start);
}
