/* SPDX-License-Identifier: MIT */
/* Batches into and out of the per-CPU arrays, and their growth. */
#include "slab/cpu_array.h"

#include <string.h>

enum { FIRST_ROOM = 8 }; /* slots of an array when it's opened */

/* The region of CPU -1 until there are real ones: zeroes. */
static char no_region[CPU_ARRAYS * sizeof(struct cpu_array)];

char *cpu_regions = no_region + CPU_REGION_BYTES;

/* Where each array's slots are, the same in all regions. */
static struct {
	uint32_t first[CPU_ARRAYS]; /* [caches] */
	uint32_t limit[CPU_ARRAYS]; /* [caches] number of slots */
	uint32_t next;		    /* [caches] first slot of the next array */
} layout = { .next = CPU_ARRAYS * sizeof(struct cpu_array) / sizeof(void *) };

bool cpu_arrays_init(void)
{
	size_t regions = 1 + os_cpu_limit() + cpu_slots();
	char *start = os_map(regions * CPU_REGION_BYTES);

	if (!start)
		return false;
	cpu_regions = start + CPU_REGION_BYTES;
	return true;
}

unsigned int cpu_array_assign(unsigned int id, unsigned int limit)
{
	if (layout.first[id] == 0 && layout.next + limit <= CPU_REGION_SLOTS) {
		layout.first[id] = layout.next;
		layout.limit[id] = limit;
		layout.next += limit;
	}
	return layout.limit[id];
}

unsigned int cpu_array_first(unsigned int id)
{
	return layout.first[id];
}

static unsigned int array_take(struct cpu_array *array, void **slots,
			       void **objects, unsigned int count)
{
	unsigned int held = array->count > array->begin
				    ? array->count - array->begin
				    : 0;
	unsigned int moved = count < held ? count : held;

	memcpy(objects, slots + array->count - moved,
	       moved * sizeof(*objects));
	array->count -= moved;
	return moved;
}

static unsigned int array_give(struct cpu_array *array, void **slots,
			       void *const *objects, unsigned int count)
{
	unsigned int room = array->count < array->end
				    ? array->end - array->count
				    : 0;
	unsigned int moved = count < room ? count : room;

	memcpy(slots + array->count, objects, moved * sizeof(*objects));
	array->count += moved;
	return moved;
}

static void **slots_of(struct cpu_array *array)
{
	uintptr_t offset = (uintptr_t)array - (uintptr_t)cpu_regions;

	return (void **)(cpu_regions +
			 round_down(offset, CPU_REGION_BYTES));
}

unsigned int cpu_array_take(unsigned int id, void **objects,
			    unsigned int count)
{
	struct cpu_array *array;
	unsigned int moved;

	if (likely(os_rseq_is_attached()))
		return rseq_take(id, objects, count);
	array = cpu_slot_lock(id);
	moved = array_take(array, slots_of(array), objects, count);
	cpu_slot_unlock(array);
	return moved;
}

unsigned int cpu_array_give(unsigned int id, void *const *objects,
			    unsigned int count)
{
	struct cpu_array *array;
	unsigned int moved;

	if (likely(os_rseq_is_attached()))
		return rseq_give(id, objects, count);
	array = cpu_slot_lock(id);
	moved = array_give(array, slots_of(array), objects, count);
	cpu_slot_unlock(array);
	return moved;
}

/* The end after the next growth from @end, which is 0 before the first. */
static uint32_t next_end(unsigned int id, uint32_t end)
{
	uint32_t first = layout.first[id];
	uint32_t room = end ? 2 * (end - first) : FIRST_ROOM;

	return first + (room < layout.limit[id] ? room : layout.limit[id]);
}

static unsigned int slot_grow(unsigned int id)
{
	struct cpu_array *array = cpu_slot_lock(id);
	unsigned int room;

	if (array->end == 0)
		array->count = array->begin = layout.first[id];
	array->end = next_end(id, array->end);
	room = array->end - array->begin;
	cpu_slot_unlock(array);
	return room;
}

unsigned int cpu_array_grow(unsigned int id)
{
	uint32_t old = 0;

	if (layout.limit[id] == 0)
		return 0;
	if (unlikely(!os_rseq_is_attached()))
		return slot_grow(id);
	for (;;) {
		uint32_t end = next_end(id, old);
		uint32_t seen = rseq_set_end(id, layout.first[id], old, end);

		if (seen == UINT32_MAX)
			return 0; /* a drain has it */
		if (seen == old)
			return end - layout.first[id];
		old = seen;
	}
}
