/* SPDX-License-Identifier: MIT */
/* Batches into and out of the per-CPU arrays, and their growth. */
#include "slab/cpu_array.h"

#include <string.h>

enum {
	FIRST_ROOM = 8
}; /* slots of an array when it's opened */

/* The region of CPU -1 until there are real ones: zeroes. */
static struct cpu_region no_region;

char *cpu_regions = (char *)&no_region + CPU_REGION_BYTES;

bool cpu_slots_only;

/* Where each array's slots are, the same in all regions. */
static struct {
	uint32_t first[CPU_ARRAYS]; /* [caches] number of the first slot */
	uint32_t limit[CPU_ARRAYS]; /* [caches] how many there are */
	uint32_t next;		    /* [caches] first slot of the next array */
} layout;

bool cpu_arrays_init(void)
{
	size_t regions = 1 + os_cpu_limit() + cpu_slots();
	char *start = os_map(regions * CPU_REGION_BYTES);

	if (!start)
		return false;
	cpu_regions = start + CPU_REGION_BYTES;
	cpu_slots_only = os_cpu_index() == CPU_INDEX_NONE;
	os_rseq_attach_first();
	return true;
}

unsigned int cpu_array_assign(unsigned int id, unsigned int limit)
{
	if (layout.limit[id] == 0 && layout.next + limit <= CPU_REGION_SLOTS) {
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

/* The distance of slot @slot from the start of its region, in bytes. */
static size_t slot_offset(size_t slot)
{
	return offsetof(struct cpu_region, slots) + slot * sizeof(void *);
}

/* One store, after everything else: where a fork cuts a thread off, its slot
 * is as before the operation or as after it. */
static void commit_top(struct cpu_region *region, unsigned int id, void **top)
{
	__atomic_store_n(&region->top[id], top, __ATOMIC_RELEASE);
}

static unsigned int array_take(struct cpu_region *region, unsigned int id,
			       void **objects, unsigned int count)
{
	size_t held = (size_t)(region->top[id] - region->begin[id]);
	size_t moved = min_size(count, held);

	if (moved == 0)
		return 0; /* it may have no slots yet */
	memcpy(objects, region->top[id] - moved, moved * sizeof(*objects));
	commit_top(region, id, region->top[id] - moved);
	return (unsigned int)moved;
}

static unsigned int array_give(struct cpu_region *region, unsigned int id,
			       void *const *objects, unsigned int count)
{
	size_t room = (size_t)(region->end[id] - region->top[id]);
	size_t moved = min_size(count, room);

	if (moved == 0)
		return 0; /* it may have no slots yet */
	memcpy(region->top[id], objects, moved * sizeof(*objects));
	commit_top(region, id, region->top[id] + moved);
	return (unsigned int)moved;
}

unsigned int cpu_array_take(unsigned int id, void **objects, unsigned int count)
{
	struct cpu_region *region;
	unsigned int moved;

	if (likely(os_rseq_is_attached()))
		return rseq_take(id, objects, count);
	region = cpu_slot_lock();
	if (!region)
		return 0;
	moved = array_take(region, id, objects, count);
	cpu_slot_unlock(region);
	return moved;
}

unsigned int cpu_array_give(unsigned int id, void *const *objects,
			    unsigned int count)
{
	struct cpu_region *region;
	unsigned int moved;

	if (likely(os_rseq_is_attached()))
		return rseq_give(id, objects, count);
	region = cpu_slot_lock();
	if (!region)
		return 0;
	moved = array_give(region, id, objects, count);
	cpu_slot_unlock(region);
	return moved;
}

/* How many slots an array with @room should have next. */
static size_t next_room(unsigned int id, size_t room, size_t most)
{
	size_t next = min_size(room ? 2 * room : FIRST_ROOM, most);

	return min_size(max_size(next, room), layout.limit[id]);
}

static size_t slot_grow(unsigned int id, size_t most)
{
	struct cpu_region *region = cpu_slot_lock();
	size_t room;

	if (!region)
		return 0;
	if (!region->end[id]) {
		region->begin[id] = &region->slots[layout.first[id]];
		region->top[id] = region->end[id] = region->begin[id];
	}
	room = next_room(id, (size_t)(region->end[id] - region->begin[id]),
			 most);
	region->end[id] = region->begin[id] + room;
	cpu_slot_unlock(region);
	return room;
}

unsigned int cpu_array_grow(unsigned int id, unsigned int most)
{
	size_t first = slot_offset(layout.first[id]);
	size_t old = 0;

	if (layout.limit[id] == 0)
		return 0;
	if (unlikely(!os_rseq_is_attached()))
		return (unsigned int)slot_grow(id, most);
	for (;;) {
		size_t room = old ? (old - first) / sizeof(void *) : 0;
		size_t wanted = next_room(id, room, most);
		size_t seen = rseq_set_end(id, first, old,
					   first + wanted * sizeof(void *));

		if (seen == SIZE_MAX)
			return 0; /* a drain has it */
		if (seen == old)
			return (unsigned int)wanted;
		old = seen;
	}
}
