/* SPDX-License-Identifier: MIT */
/* Batches into and out of the per-CPU arrays, and their growth. */
#include "slab/cpu_array.h"

#include <string.h>

enum {
	FIRST_ROOM = 8,	  /* slots of an array when it's opened */
	SMALL_SLOTS = 32, /* in its small place */
	SMALL_PLACES =
		1280, /* slots for all small places, up to a page's end */
	/* What all arrays may have room for before they need to be as small as
	 * they can: bytes, and the share of the pages in use, if that's more.
	 */
	BUDGET_BYTES = 1 << 20,
	BUDGET_SHIFT = 2,
};

static_assert((sizeof(struct cpu_region) + SMALL_PLACES * sizeof(void *)) %
			      4096 ==
		      0,
	      "large places start with a page");

/* The region of CPU -1 until there are real ones: zeroes. */
static struct cpu_region no_region COLD_DATA;

char *cpu_regions = (char *)&no_region + CPU_REGION_BYTES;

bool cpu_slots_only;

/*
 * Where each array's slots are, the same in all regions. As long as an array
 * has little room it lies in its small place, next to those of other arrays, so
 * that the few objects of a short process are in one page.
 */
struct place {
	uint32_t small; /* number of the first slot at first */
	uint32_t large; /* the same, once there's more room; may be @small */
	uint32_t limit; /* how many slots there are */
	uint32_t size;	/* of an object */
};

static struct {
	uint32_t next_small; /* [caches] first slot of the next small place */
	uint32_t next_large; /* [caches] the same, from SMALL_PLACES on */
	struct place of[CPU_ARRAYS]; /* [caches] */
	atomic_size_t room;	     /* [atomic] bytes that fit in all arrays */
} layout;

/* This thread's first malloc() would read the tables, then write them: two
 * faults a page, of which the first can be spared. */
static void touch_own_region(void)
{
	struct cpu_region *own = cpu_region_at((long)os_cpu_hint());

	if (cpu_slots_only)
		return;
	*(void **volatile *)&own->top[0] = NULL;
	*(void **volatile *)&own->end[0] = NULL;
}

bool cpu_arrays_init(void)
{
	size_t regions = 1 + os_cpu_limit() + cpu_slots();
	char *start = os_map(regions * CPU_REGION_BYTES);

	if (!start)
		return false;
	cpu_regions = start + CPU_REGION_BYTES;
	cpu_slots_only = os_cpu_index() == CPU_INDEX_NONE;
	os_rseq_attach_first();
	touch_own_region();
	return true;
}

unsigned int cpu_array_assign(unsigned int id, unsigned int limit, size_t size)
{
	struct place *place = &layout.of[id];
	uint32_t large = SMALL_PLACES + layout.next_large;

	if (place->limit > 0 || large + limit > CPU_REGION_SLOTS)
		return place->limit;
	*place = (struct place){ large, large, limit, (uint32_t)size };
	layout.next_large += limit;
	if (limit > FIRST_ROOM &&
	    layout.next_small + SMALL_SLOTS < SMALL_PLACES) {
		place->small = layout.next_small;
		layout.next_small += SMALL_SLOTS;
	}
	return limit;
}

void **cpu_array_slots(struct cpu_region *region, unsigned int id)
{
	const struct place *place = &layout.of[id];
	/* All small places end below the first large one. */
	bool is_large = region->top[id] >= &region->slots[place->large];

	return &region->slots[is_large ? place->large : place->small];
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

	return min_size(max_size(next, room), layout.of[id].limit);
}

/* The first slot of array @id when it has @room. */
static uint32_t first_slot(unsigned int id, size_t room)
{
	const struct place *place = &layout.of[id];

	return room > SMALL_SLOTS ? place->large : place->small;
}

/* The slots that an array has whose end is at @end, a distance; 0 if closed. */
static size_t room_until(unsigned int id, size_t end)
{
	const struct place *place = &layout.of[id];
	size_t large = slot_offset(place->large);

	if (end == 0)
		return 0;
	return (end - (end > large ? large : slot_offset(place->small))) /
	       sizeof(void *);
}

/* A drain may be quicker to take off than the thread that made room is to add:
 * until that has, there seems to be too much. */
static void count_room(unsigned int id, size_t change)
{
	atomic_fetch_add_explicit(&layout.room, change * layout.of[id].size,
				  memory_order_relaxed);
}

void cpu_array_forget_room(unsigned int id, size_t room)
{
	count_room(id, -room);
}

bool cpu_arrays_may_grow(void)
{
	size_t room = atomic_load_explicit(&layout.room, memory_order_relaxed);

	return room < BUDGET_BYTES || room < pages_used_bytes() >> BUDGET_SHIFT;
}

static size_t slot_grow(unsigned int id, size_t most)
{
	struct cpu_region *region = cpu_slot_lock();
	size_t held, old, room;
	void **first;

	if (!region)
		return 0;
	held = (size_t)(region->top[id] - region->begin[id]);
	old = (size_t)(region->end[id] - region->begin[id]);
	room = next_room(id, old, most);
	count_room(id, room - old);
	first = &region->slots[first_slot(id, room)];
	if (region->begin[id] != first) {
		if (held > 0)
			memcpy(first, region->begin[id], held * sizeof(void *));
		region->begin[id] = first;
		region->top[id] = first + held;
	}
	region->end[id] = first + room;
	cpu_slot_unlock(region);
	return room;
}

unsigned int cpu_array_grow(unsigned int id, unsigned int most)
{
	size_t old = 0;

	if (layout.of[id].limit == 0)
		return 0;
	if (unlikely(!os_rseq_is_attached()))
		return (unsigned int)slot_grow(id, most);
	for (;;) {
		size_t room = room_until(id, old);
		size_t wanted = next_room(id, room, most);
		uint32_t first = first_slot(id, wanted);
		bool stays = old && first == first_slot(id, room);
		size_t seen = rseq_set_end(id, stays ? 0 : slot_offset(first),
					   old, slot_offset(first + wanted));

		if (seen == SIZE_MAX)
			return 0;
		if (seen == old) {
			count_room(id, wanted - room);
			return (unsigned int)wanted;
		}
		old = seen;
	}
}
