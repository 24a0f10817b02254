/* SPDX-License-Identifier: MIT */
/*
 * Empty the per-CPU arrays of all CPUs, from one thread.
 *
 * The sequences look at no stop sign: the bounds are the stop sign. In steps,
 * each followed by a fence, which restarts every sequence that is under way:
 *
 * 1. Mark the regions as stopped. After the fence no sequence changes a bound.
 * 2. Close the arrays: begin above, end below any count. After the fence no
 *    sequence takes or gives an object; the regions are ours.
 * 3. Take the objects. After the fence no sequence remembers an old count: it
 *    might otherwise read the count before this step and the bound after the
 *    next, and commit a count that brings drained objects back.
 * 4. Open the arrays and remove the mark.
 */
#include "slab/cpu_array.h"

enum { DRAIN_BATCH = 64 };

static const uint32_t CLOSED_BEGIN = UINT32_MAX;

static void store_u32(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static uint32_t load_u32(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void mark_regions(uint32_t stopped)
{
	for (unsigned int cpu = 0; cpu < os_cpu_limit(); cpu++)
		store_u32(&cpu_array_at(cpu, 0)->saved, stopped);
}

static void empty_array(struct cpu_array *array, long region, unsigned int id,
			cpu_array_sink sink)
{
	uint32_t first = cpu_array_first(id);
	void **slots = cpu_region_slots(region);

	while (load_u32(&array->count) > first) {
		uint32_t held = array->count - first;
		uint32_t batch = held < DRAIN_BATCH ? held : DRAIN_BATCH;

		sink(id, slots + array->count - batch, batch);
		store_u32(&array->count, array->count - batch);
	}
}

typedef void (*array_visit)(struct cpu_array *array, long region,
			    unsigned int id, cpu_array_sink sink);

static void visit_arrays(unsigned int low, unsigned int high, array_visit visit,
			 cpu_array_sink sink)
{
	for (long cpu = 0; cpu < (long)os_cpu_limit(); cpu++) {
		for (unsigned int id = low; id <= high; id++)
			visit(cpu_array_at(cpu, id), cpu, id, sink);
	}
}

static void close_array(struct cpu_array *array, long region, unsigned int id,
			cpu_array_sink sink)
{
	(void)region;
	(void)id;
	(void)sink;
	if (array->end == 0)
		return;
	array->saved = array->end;
	store_u32(&array->begin, CLOSED_BEGIN);
	store_u32(&array->end, 0);
}

static void empty_closed_array(struct cpu_array *array, long region,
			       unsigned int id, cpu_array_sink sink)
{
	if (array->begin == CLOSED_BEGIN)
		empty_array(array, region, id, sink);
}

static void open_array(struct cpu_array *array, long region, unsigned int id,
		       cpu_array_sink sink)
{
	(void)region;
	(void)sink;
	if (array->begin != CLOSED_BEGIN)
		return;
	store_u32(&array->begin, cpu_array_first(id));
	store_u32(&array->end, array->saved);
}

static bool drain_cpus(unsigned int low, unsigned int high, cpu_array_sink sink)
{
	bool is_ours;

	mark_regions(1);
	if (!os_cpu_fence()) {
		mark_regions(0);
		return false;
	}
	visit_arrays(low, high, close_array, sink);
	is_ours = os_cpu_fence();
	if (is_ours)
		visit_arrays(low, high, empty_closed_array, sink);
	/* Without this fence the arrays stay closed, which is slow and right. */
	if (is_ours && !os_cpu_fence())
		return true;
	visit_arrays(low, high, open_array, sink);
	mark_regions(0);
	return is_ours;
}

static void drain_slots(unsigned int low, unsigned int high,
			cpu_array_sink sink)
{
	for (unsigned int slot = 0; slot < cpu_slots(); slot++) {
		long region = (long)(os_cpu_limit() + slot);

		cpu_slot_lock_at(slot);
		for (unsigned int id = low; id <= high; id++)
			empty_array(cpu_array_at(region, id), region, id, sink);
		cpu_slot_unlock(cpu_array_at(region, 0));
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

	for (long region = 0; region < regions; region++) {
		struct cpu_array *array = cpu_array_at(region, id);
		uint32_t count = load_u32(&array->count);
		uint32_t begin = load_u32(&array->begin);

		if (begin != CLOSED_BEGIN && count > begin)
			sum += count - begin;
	}
	return sum;
}
