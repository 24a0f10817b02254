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

struct run_classes run_classes;

/*
 * An array is opened for a class whose runs come back after they went: for one
 * that was freed, then asked for. A block that grows step by step passes
 * through all classes, and would leave a run in each array.
 */
static struct demand {
	bool was_freed;	 /* [atomic] */
	bool comes_back; /* [atomic] */
} demands[RUN_CLASSES];

static size_t pages_of(unsigned int class)
{
	return round_up(size_class_bytes(class), os_page_bytes()) >>
	       os_page_shift;
}

/* With large pages several classes are of as many: the last has them. */
void runs_init(void)
{
	for (unsigned int class = RUN_CLASS_FIRST; class <= RUN_CLASS_LAST;
	     class += 1) {
		cpu_array_assign(class,
				 (unsigned int)clamp_size(
					 ARRAY_BYTES / size_class_bytes(class),
					 1, ARRAY_SLOTS_MAX),
				 size_class_bytes(class));
		run_classes.by_pages[pages_of(class)] = (uint8_t) class;
	}
	for (size_t frames = (SLAB_SIZE_MAX >> FRAME_SHIFT) + 1;
	     frames <= RUN_PAGES_MAX; frames++)
		run_classes.by_frames[frames] =
			(uint8_t)run_class_of(frames << FRAME_SHIFT);
}

static void note_demand(unsigned int class)
{
	struct demand *demand = &demands[class - RUN_CLASS_FIRST];

	if (__atomic_load_n(&demand->was_freed, __ATOMIC_RELAXED))
		__atomic_store_n(&demand->comes_back, true, __ATOMIC_RELAXED);
}

/* A run of @class finds no room in this CPU's array: make some, if it's worth
 * it. */
static void make_room(unsigned int class)
{
	struct demand *demand = &demands[class - RUN_CLASS_FIRST];

	if (!__atomic_load_n(&demand->comes_back, __ATOMIC_RELAXED)) {
		__atomic_store_n(&demand->was_freed, true, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(&demand->was_freed, false, __ATOMIC_RELAXED);
	__atomic_store_n(&demand->comes_back, false, __ATOMIC_RELAXED);
	cpu_array_grow(class, cpu_arrays_may_grow() ? UINT32_MAX : 1);
}

bool run_pop_slot(size_t size, void **ret_run)
{
	if (!cpu_array_pop_slot(run_class_of(size), ret_run))
		return false;
	page_find(*ret_run)->type = PAGE_RUN;
	return true;
}

bool run_push_slot(void *run)
{
	struct page *page = run_find(run);

	if (!page || page->count > RUN_PAGES_MAX)
		return false;
	page->type = PAGE_CACHED;
	if (cpu_array_push_slot(run_classes.by_pages[page->count], run))
		return true;
	page->type = PAGE_RUN;
	return false;
}

void *run_alloc(size_t size, unsigned int flags, bool *ret_zero)
{
	unsigned int class = run_class_of(size);
	void *run;

	if (!(flags & SM_NOWAIT))
		attach_thread();
	*ret_zero = false;
	if (run_pop(size, &run) || run_pop_slot(size, &run))
		return run;
	note_demand(class);
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
	struct page *page = page_find(run);
	size_t count = page->count;

	attach_thread();
	if (count <= RUN_PAGES_MAX && run_classes.by_pages[count])
		make_room(run_classes.by_pages[count]);
	if (!run_push(run, page) && !run_push_slot(run))
		pages_free(run);
}

bool run_resize(void *run, size_t size)
{
	return pages_resize(run, pages_of(run_class_of(size)));
}

size_t runs_cached(void)
{
	size_t sum = 0;

	for (unsigned int class = RUN_CLASS_FIRST; class <= RUN_CLASS_LAST;
	     class += 1)
		sum += cpu_arrays_count(class);
	return sum;
}
