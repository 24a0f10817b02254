/* SPDX-License-Identifier: MIT */
/* The cold halves of allocation and free: from source to source, cheapest
 * first. */
#include "slab/slab_internal.h"

/*
 * How many objects this CPU's array should be refilled with, or relieved of:
 * half of its room, so that the next operations of either kind are hot. A miss
 * of either kind doubles the room, up to what was assigned.
 */
static unsigned int batch_size(const struct cache *cache)
{
	if (cache->batch == 1)
		return 1; /* no arrays: they mustn't be opened */
	return (unsigned int)clamp_size(cpu_array_grow(cache->id) / 2, 1,
					cache->batch);
}

/* A thread that wasn't known to be registered may turn out to be. */
static void attach_thread(void)
{
	if (!os_rseq_is_attached())
		os_rseq_attach();
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
	if (!barn_put(&cache->barn, objects, count, flags))
		slabs_return(cache, objects, count);
}

void *cache_alloc_slow(struct cache *cache, unsigned int flags)
{
	void *objects[SHEAF_CAPACITY];
	unsigned int count;

	if (!(flags & SM_NOWAIT))
		attach_thread();
	if (cache->batch > 1 && cpu_array_take(cache->id, objects, 1))
		return objects[0];
	/* A single object leaves nothing over that would have to be put
	 * somewhere, under locks. */
	if ((flags & SM_NOWAIT) && slabs_take(cache, objects, 1, flags))
		return objects[0];
	count = barn_get(&cache->barn, objects, flags);
	if (count == 0)
		count = slabs_take(cache, objects, batch_size(cache), flags);
	if (count == 0)
		return NULL;
	/* The first has the lowest address; an array gives its last first, so
	 * they go in in reverse, and come out in the order of addresses. */
	for (unsigned int i = 1, j = count - 1; i < j; i++, j--) {
		void *swapped = objects[i];

		objects[i] = objects[j];
		objects[j] = swapped;
	}
	stow_objects(cache, objects + 1, count - 1, flags);
	return objects[0];
}

void cache_free_slow(struct cache *cache, void *object)
{
	void *objects[SHEAF_CAPACITY];
	unsigned int count;

	if (unlikely(cache_object_at(cache, object) != object))
		panic("free of a pointer inside a block", object);
	attach_thread();
	if (cache->batch == 1) {
		slabs_return(cache, &object, 1);
		return;
	}
	if (cpu_array_give(cache->id, &object, 1))
		return;
	count = batch_size(cache);
	if (cpu_array_give(cache->id, &object, 1))
		return;
	/* One place in the batch is for @object itself, if need be. */
	count = cpu_array_take(cache->id, objects,
			       count < SHEAF_CAPACITY ? count
						      : SHEAF_CAPACITY - 1);
	if (!cpu_array_give(cache->id, &object, 1))
		objects[count++] = object;
	if (!barn_put(&cache->barn, objects, count, 0))
		slabs_return(cache, objects, count);
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
