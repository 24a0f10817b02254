/* SPDX-License-Identifier: MIT */
/*
 * Runs of pages in the per-CPU arrays: blocks too large for slabs.
 *
 * A run with as many pages as a run class says has the number of that class in
 * the class map, at its first frame. So free's hot path puts it in an array, as
 * it does with an object, and an allocation of that class finds it there. There
 * is neither slab nor barn behind: what an array has no room for goes back to
 * the pages, one by one.
 */
#include "slab/slab_internal.h"

enum {
	ARRAY_BYTES = 512 << 10, /* of runs in one array, about */
	ARRAY_SLOTS_MAX = 8,
};

static size_t pages_of(unsigned int class)
{
	return round_up(run_class_bytes(class), os_page_bytes()) >>
	       os_page_shift;
}

void runs_init(void)
{
	for (unsigned int class = RUN_CLASS_FIRST; class <= RUN_CLASS_LAST;
	     class += 1)
		cpu_array_assign(class,
				 (unsigned int)clamp_size(
					 ARRAY_BYTES / run_class_bytes(class),
					 1, ARRAY_SLOTS_MAX));
}

void *run_alloc(size_t size, unsigned int flags, bool *ret_zero)
{
	unsigned int class = run_class_of(size);
	void *run;

	if (!(flags & SM_NOWAIT))
		attach_thread();
	*ret_zero = false;
	if (cpu_array_take(class, &run, 1))
		return run;
	run = pages_alloc(pages_of(class), 1, USE_RUN, flags, ret_zero);
	if (run)
		page_set_run_class(run, class);
	return run;
}

void runs_return(void *const *runs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct page *page = page_find(runs[i]);

		if (unlikely(page->type == PAGE_CACHED))
			panic("double free", runs[i]);
		if (unlikely(page->type != PAGE_RUN ||
			     page_start(page) != runs[i]))
			panic("free of a pointer that is not a block", runs[i]);
		page_set_run_class(runs[i], 0);
		pages_free(runs[i]);
	}
}

void run_free_slow(unsigned int class, void *run)
{
	attach_thread();
	if (cpu_array_give(class, &run, 1))
		return;
	cpu_array_grow(class, UINT32_MAX);
	if (!cpu_array_give(class, &run, 1))
		runs_return(&run, 1);
}

size_t runs_cached(void)
{
	size_t sum = 0;

	for (unsigned int class = RUN_CLASS_FIRST; class <= RUN_CLASS_LAST;
	     class += 1)
		sum += cpu_arrays_count(class);
	return sum;
}

bool run_resize(void *run, size_t size)
{
	size_t pages = round_up(size, os_page_bytes()) >> os_page_shift;
	unsigned int class = run_class_of(size);

	if (!pages_resize(run, pages))
		return false;
	page_set_run_class(run, pages_of(class) == pages ? class : 0);
	return true;
}
