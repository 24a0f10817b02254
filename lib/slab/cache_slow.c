/* SPDX-License-Identifier: MIT */
/* The cold halves of allocation and free: from source to source, cheapest
 * first. */
#include "slab/slab_internal.h"

enum {
	SHEAVES_MOVED = 4, /* at once, at most */
	MOVED_MAX = SHEAVES_MOVED * SHEAF_CAPACITY,
	LEAST_BYTES = 16 << 10, /* of objects: always room for them, about */
};

/* What an array may always have room for: two sheaves of small objects. */
static unsigned int least_room(const struct cache *cache)
{
	return (unsigned int)clamp_size(LEAST_BYTES / cache->size, 1,
					2 * cache->batch);
}

/*
 * A miss doubles the room of this CPU's array up to least_room(); beyond that
 * only where misses of both kinds take turns, which more room would have
 * spared, and within the budget of all arrays. The room there is now, or 0: see
 * cpu_array_grow().
 */
static unsigned int grow_array(struct cache *cache, bool is_refill)
{
	bool was_refill = __atomic_load_n(&cache->was_refill, __ATOMIC_RELAXED);
	unsigned int most = least_room(cache);

	if (cache->batch == 1)
		return 0; /* no arrays: they mustn't be opened */
	if (was_refill != is_refill) {
		__atomic_store_n(&cache->was_refill, is_refill,
				 __ATOMIC_RELAXED);
		if (cpu_arrays_may_grow())
			most = UINT32_MAX;
	}
	return cpu_array_grow(cache->id, most);
}

/* How many objects an array with @room should be refilled with, or relieved of:
 * half of that, so that the next operations of either kind are hot, and at most
 * a few sheaves. */
static unsigned int batch_size(const struct cache *cache, unsigned int room)
{
	return (unsigned int)clamp_size(room / 2, 1,
					SHEAVES_MOVED * cache->batch);
}

/* Put @objects into the barn, in sheaves; what it has no room for, into their
 * slabs. */
static void put_down(struct cache *cache, void **objects, unsigned int count,
		     unsigned int flags)
{
	while (count > 0) {
		unsigned int sheaf =
			count < cache->batch ? count : cache->batch;

		if (!barn_put(&cache->barn, objects, sheaf, flags))
			break;
		objects += sheaf;
		count -= sheaf;
	}
	if (count > 0)
		slabs_return(cache, objects, count);
}

/* Put @objects where they're found next: in the array, else in the barn, else
 * in their slabs. */
static void stow_objects(struct cache *cache, void **objects,
			 unsigned int count, unsigned int flags)
{
	unsigned int given = 0;

	if (count == 0)
		return;
	if (cache->batch > 1)
		given = cpu_array_give(cache->id, objects, count);
	if (given == count)
		return;
	objects += given;
	count -= given;
	put_down(cache, objects, count, flags);
}

/* An array gives its last first: so these come out of it in the order of their
 * addresses. */
static unsigned int take_reversed(struct cache *cache, void **objects,
				  unsigned int count, unsigned int flags)
{
	unsigned int taken = slabs_take(cache, objects, count, flags);

	for (unsigned int i = 0, j = taken; i + 1 < j; i++) {
		void *swapped = objects[i];

		objects[i] = objects[--j];
		objects[j] = swapped;
	}
	return taken;
}

void *cache_alloc_slow(struct cache *cache, unsigned int flags)
{
	void *objects[MOVED_MAX];
	unsigned int count, given;

	if (!(flags & SM_NOWAIT))
		attach_thread();
	if (cache->batch > 1 && cpu_array_take(cache->id, objects, 1))
		return objects[0];
	/* A single object leaves nothing over that would have to be put
	 * somewhere, under locks. */
	if ((flags & SM_NOWAIT) && slabs_take(cache, objects, 1, flags))
		return objects[0];
	count = batch_size(cache, grow_array(cache, true));
	given = barn_get(&cache->barn, objects, flags);
	if (given == 0)
		given = take_reversed(cache, objects, count, flags);
	if (given == 0)
		return NULL;
	stow_objects(cache, objects, given - 1, flags);
	return objects[given - 1];
}

/* Free @object where the array must be empty in order to grow. */
static void free_moving(struct cache *cache, void *object)
{
	void *objects[SHEAF_CAPACITY];
	unsigned int count =
		cpu_array_take(cache->id, objects, SHEAF_CAPACITY - 1);

	grow_array(cache, false);
	objects[count++] = object;
	stow_objects(cache, objects, count, 0);
}

void cache_free_slow(struct cache *cache, void *object)
{
	void *objects[MOVED_MAX];
	unsigned int count, room;

	if (unlikely(cache_object_at(cache, object) != object))
		panic("free of a pointer inside a block", object);
	attach_thread();
	if (cache->batch > 1 && cpu_array_give(cache->id, &object, 1))
		return;
	if (cache->batch == 1) {
		slabs_return(cache, &object, 1);
		return;
	}
	room = grow_array(cache, false);
	if (cpu_array_give(cache->id, &object, 1))
		return;
	if (room == 0) {
		free_moving(cache, object);
		return;
	}
	/* One place in the batch is for @object itself, if need be. */
	count = batch_size(cache, room);
	count = cpu_array_take(cache->id, objects,
			       count < MOVED_MAX ? count : MOVED_MAX - 1);
	if (!cpu_array_give(cache->id, &object, 1))
		objects[count++] = object;
	put_down(cache, objects, count, 0);
}

bool cache_alloc_batch(struct cache *cache, void **objects, size_t count,
		       unsigned int flags)
{
	size_t taken = 0;

	while (taken < count) {
		unsigned int want =
			(unsigned int)min_size(count - taken, UINT32_MAX);
		unsigned int got =
			slabs_take(cache, objects + taken, want, flags);

		if (got == 0)
			break;
		taken += got;
	}
	if (taken < count && taken > 0)
		cache_free_batch(cache, objects, taken);
	return taken == count;
}

void cache_free_batch(struct cache *cache, void *const *objects, size_t count)
{
	enum {
		BATCH = 1024
	}; /* bounds how long the lock is held */

	for (size_t done = 0; done < count; done += BATCH)
		slabs_return(cache, objects + done,
			     (unsigned int)min_size(count - done, BATCH));
}
