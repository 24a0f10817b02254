/* SPDX-License-Identifier: MIT */
/*
 * Runs of pages in the per-CPU arrays: blocks too large for slabs.
 *
 * A run with as many pages as a run class says may be put in the array of that
 * class. Its descriptor tells whether it is: so a double free is seen at once,
 * at the price of a look at the descriptor on the way in and out. There is
 * neither slab nor barn behind: what an array has no room for goes back to the
 * pages.
 */
#include "slab/slab_internal.h"

enum {
	ARRAY_BYTES = 512 << 10, /* of runs in one array, about */
	ARRAY_SLOTS_MAX = 8,
};

static size_t pages_of(unsigned int class)
{
	return round_up(size_class_bytes(class), os_page_bytes()) >>
	       os_page_shift;
}

void runs_init(void)
{
	for (unsigned int class = RUN_CLASS_FIRST; class <= RUN_CLASS_LAST;
	     class += 1)
		cpu_array_assign(class,
				 (unsigned int)clamp_size(
					 ARRAY_BYTES / size_class_bytes(class),
					 1, ARRAY_SLOTS_MAX));
}

/* The class of a run of @count pages; 0 if it has none. */
static unsigned int class_of(size_t count)
{
	size_t bytes = count << os_page_shift;
	unsigned int class;

	if (bytes <= SLAB_SIZE_MAX || bytes > RUN_BYTES_MAX)
		return 0;
	class = run_class_of(bytes);
	return pages_of(class) == count ? class : 0;
}

bool run_pop(size_t size, void **ret_run)
{
	unsigned int class = run_class_of(size);

	if (!cpu_array_pop(class, ret_run) &&
	    !cpu_array_pop_slot(class, ret_run))
		return false;
	page_find(*ret_run)->type = PAGE_RUN;
	return true;
}

/* The class of @run if it may be put in an array: then that's noted. */
static unsigned int mark_cached(void *run)
{
	struct page *page = page_find(run);
	unsigned int class = 0;

	if (page && page->type == PAGE_RUN &&
	    ((uintptr_t)run & (os_page_bytes() - 1)) == 0)
		class = class_of(page->count);
	if (class)
		page->type = PAGE_CACHED;
	return class;
}

bool run_push(void *run)
{
	unsigned int class = mark_cached(run);

	if (!class)
		return false;
	if (cpu_array_push(class, run) || cpu_array_push_slot(class, run))
		return true;
	page_find(run)->type = PAGE_RUN;
	return false;
}

void *run_alloc(size_t size, unsigned int flags, bool *ret_zero)
{
	unsigned int class = run_class_of(size);
	void *run;

	if (!(flags & SM_NOWAIT))
		attach_thread();
	*ret_zero = false;
	if (run_pop(size, &run))
		return run;
	return pages_alloc(pages_of(class), 1, USE_RUN, flags, ret_zero);
}

void runs_return(void *const *runs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		page_find(runs[i])->type = PAGE_RUN;
		pages_free(runs[i]);
	}
}

void run_free(void *run)
{
	unsigned int class = class_of(page_find(run)->count);

	attach_thread();
	if (class)
		cpu_array_grow(class, UINT32_MAX);
	if (!run_push(run))
		pages_free(run);
}

size_t runs_cached(void)
{
	size_t sum = 0;

	for (unsigned int class = RUN_CLASS_FIRST; class <= RUN_CLASS_LAST;
	     class += 1)
		sum += cpu_arrays_count(class);
	return sum;
}
