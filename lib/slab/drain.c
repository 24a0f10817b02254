/* SPDX-License-Identifier: MIT */
/*
 * Empty the per-CPU arrays of all CPUs, from one thread.
 *
 * The sequences look at no stop sign: the bounds are the stop sign. In steps,
 * each followed by a fence, which restarts every sequence that is under way:
 *
 * 1. Mark the regions. After the fence no sequence changes a bound.
 * 2. Close the arrays: begin above, end below any top. After the fence no
 *    sequence takes or gives an object; the regions are ours.
 * 3. Take the objects. After the fence no sequence remembers an old top: it
 *    might otherwise read the top before this step and the bound after the
 *    next, and commit a top that brings drained objects back.
 * 4. Make the arrays as new, empty and full, to be opened again where they're
 *    needed, and remove the mark.
 */
#include "slab/cpu_array.h"

enum {
	DRAIN_BATCH = 64
};

/* A begin above any top: the array is closed. */
#define CLOSED ((void **)UINTPTR_MAX)

static void store(void ***field, void **value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static void **load(void **const *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void mark_regions(void **mark)
{
	for (long cpu = 0; cpu < (long)os_cpu_limit(); cpu++)
		store(&cpu_region_at(cpu)->begin[0], mark);
}

static void empty_array(struct cpu_region *region, unsigned int id,
			cpu_array_sink sink)
{
	void **first = cpu_array_slots(region, id);

	while (load(&region->top[id]) > first) {
		size_t held = (size_t)(region->top[id] - first);
		size_t batch = min_size(held, DRAIN_BATCH);
		void **top = region->top[id] - batch;

		sink(id, top, (unsigned int)batch);
		store(&region->top[id], top);
	}
}

typedef void (*array_visit)(struct cpu_region *region, unsigned int id,
			    cpu_array_sink sink);

static void visit_arrays(unsigned int low, unsigned int high, array_visit visit,
			 cpu_array_sink sink)
{
	for (long cpu = 0; cpu < (long)os_cpu_limit(); cpu++) {
		for (unsigned int id = low; id <= high; id++)
			visit(cpu_region_at(cpu), id, sink);
	}
}

static void close_array(struct cpu_region *region, unsigned int id,
			cpu_array_sink sink)
{
	(void)sink;
	if (!region->end[id])
		return;
	cpu_array_forget_room(id,
			      (size_t)(region->end[id] - region->begin[id]));
	store(&region->begin[id], CLOSED);
	store(&region->end[id], NULL);
}

static void empty_closed_array(struct cpu_region *region, unsigned int id,
			       cpu_array_sink sink)
{
	if (region->begin[id] == CLOSED)
		empty_array(region, id, sink);
}

static void renew_array(struct cpu_region *region, unsigned int id,
			cpu_array_sink sink)
{
	(void)sink;
	/* Not to NULL: a sequence may have read the top by now, and would find
	 * it above. */
	if (region->begin[id] == CLOSED)
		store(&region->begin[id], region->top[id]);
}

static bool drain_cpus(unsigned int low, unsigned int high, cpu_array_sink sink)
{
	mark_regions(CLOSED);
	if (!os_cpu_fence()) {
		mark_regions(NULL);
		return false;
	}
	visit_arrays(low, high, close_array, sink);
	/* If a fence fails from here on, the arrays stay closed: slow, right.
	 */
	if (!os_cpu_fence())
		return false;
	visit_arrays(low, high, empty_closed_array, sink);
	if (!os_cpu_fence())
		return false;
	visit_arrays(low, high, renew_array, sink);
	mark_regions(NULL);
	return true;
}

static void drain_slots(unsigned int low, unsigned int high,
			cpu_array_sink sink)
{
	for (unsigned int slot = 0; slot < cpu_slots(); slot++) {
		struct cpu_region *region = cpu_slot_lock_at(slot);

		if (!region)
			continue;
		for (unsigned int id = low; id <= high; id++) {
			empty_array(region, id, sink);
			cpu_array_forget_room(id, (size_t)(region->end[id] -
							   region->begin[id]));
			region->end[id] = region->begin[id];
		}
		cpu_slot_unlock(region);
	}
}

bool cpu_arrays_drain(unsigned int id, cpu_array_sink sink)
{
	unsigned int low = id ? id : 1;
	unsigned int high = id ? id : CPU_ARRAYS - 1;

	drain_slots(low, high, sink);
	return os_cpu_index() == CPU_INDEX_NONE || drain_cpus(low, high, sink);
}

size_t cpu_arrays_count(unsigned int id)
{
	long regions = (long)(os_cpu_limit() + cpu_slots());
	size_t sum = 0;

	for (long i = 0; i < regions; i++) {
		struct cpu_region *region = cpu_region_at(i);
		void **top = load(&region->top[id]);
		void **begin = load(&region->begin[id]);

		if (top > begin)
			sum += (size_t)(top - begin);
	}
	return sum;
}
