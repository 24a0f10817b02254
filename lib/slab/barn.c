/* SPDX-License-Identifier: MIT */
/* The stock of sheaves that the CPUs of a cache exchange. */
#include "slab/slab_internal.h"

#include <string.h>

enum {
	MAX_FULL_PER_CPU = 2,
	MAX_FULL = 64,
	MAX_FULL_BYTES = 128 << 10, /* of objects, but for one sheaf */
	MAX_EMPTY = 4,
};

static_assert(sizeof(struct sheaf) == 512, "a sheaf fills its meta object");

void barn_init(struct barn *barn, size_t batch_bytes)
{
	unsigned int cpus = os_cpu_limit();
	size_t most = clamp_size(MAX_FULL_BYTES / batch_bytes, 1, MAX_FULL);

	lock_init(&barn->lock, RANK_BARN);
	barn->max_full = (unsigned int)min_size(most, MAX_FULL_PER_CPU * cpus);
}

static struct sheaf *take_empty(struct barn *barn)
{
	struct sheaf *sheaf = barn->empty;

	if (sheaf) {
		barn->empty = sheaf->next;
		barn->nr_empty--;
	}
	return sheaf;
}

/* Put @sheaf with the empty ones, or return it if there are enough. */
static struct sheaf *put_empty(struct barn *barn, struct sheaf *sheaf,
			       unsigned int flags)
{
	if (barn->nr_empty >= MAX_EMPTY && !(flags & SM_NOWAIT))
		return sheaf;
	sheaf->next = barn->empty;
	barn->empty = sheaf;
	barn->nr_empty++;
	return NULL;
}

static void count_objects(struct barn *barn, size_t change)
{
	__atomic_store_n(&barn->objects, barn->objects + change,
			 __ATOMIC_RELAXED);
}

bool barn_put(struct barn *barn, void *const *objects, unsigned int count,
	      unsigned int flags)
{
	struct sheaf *sheaf = NULL;

	CHECK(count <= SHEAF_CAPACITY);
	if (!lock_acquire_if(&barn->lock, !(flags & SM_NOWAIT)))
		return false;
	if (barn->nr_full < barn->max_full) {
		sheaf = take_empty(barn);
		if (!sheaf)
			sheaf = meta_alloc(sizeof(*sheaf), flags);
	}
	if (sheaf) {
		memcpy(sheaf->objects, objects, count * sizeof(*objects));
		sheaf->count = count;
		sheaf->next = barn->full;
		barn->full = sheaf;
		barn->nr_full++;
		barn->puts++;
		count_objects(barn, count);
	}
	lock_release(&barn->lock);
	return sheaf != NULL;
}

unsigned int barn_get(struct barn *barn, void **objects, unsigned int flags)
{
	struct sheaf *sheaf, *surplus = NULL;
	unsigned int count = 0;

	/* Racy, and worth it: most misses find an empty barn. */
	if (__atomic_load_n(&barn->objects, __ATOMIC_RELAXED) == 0 ||
	    !lock_acquire_if(&barn->lock, !(flags & SM_NOWAIT)))
		return 0;
	sheaf = barn->full;
	if (sheaf) {
		barn->full = sheaf->next;
		barn->nr_full--;
		barn->gets++;
		count = (unsigned int)sheaf->count;
		memcpy(objects, sheaf->objects, count * sizeof(*objects));
		count_objects(barn, -(size_t)count);
		surplus = put_empty(barn, sheaf, flags);
	}
	lock_release(&barn->lock);
	if (surplus)
		meta_free(surplus, sizeof(*surplus));
	return count;
}

void barn_empty_out(struct cache *cache)
{
	struct barn *barn = &cache->barn;
	void *objects[SHEAF_CAPACITY];
	struct sheaf *sheaf;
	unsigned int count;

	while ((count = barn_get(barn, objects, 0)) > 0)
		slabs_return(cache, objects, count);
	lock_acquire(&barn->lock);
	while ((sheaf = take_empty(barn)))
		meta_free(sheaf, sizeof(*sheaf));
	lock_release(&barn->lock);
}
