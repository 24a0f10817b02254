/* SPDX-License-Identifier: MIT */
/* Walk over a cache and panic on any broken invariant. */
#include "slab/slab_internal.h"

static void check_strips(const struct cache *cache, const struct slab *slab)
{
	unsigned int shift = strip_shift(cache);

	for (size_t i = 0; i < cache->slab_objects; i++) {
		size_t low = i * cache->size >> shift;
		size_t high = ((i + 1) * cache->size - 1) >> shift;

		for (size_t strip = low; strip <= high; strip++)
			MUST(test_bit(slab->free_map, i) ||
			     !((slab->idle | slab->clean) >> strip & 1));
	}
}

static void check_slab(const struct cache *cache, const struct slab *slab,
		       unsigned int level)
{
	const struct page *page = page_find(slab->start);
	size_t bits = 0;

	for (size_t i = 0; i < cache->slab_objects; i++) {
		bool is_free = test_bit(slab->free_map, i);

		bits += is_free;
		MUST(is_free || i < slab->untouched);
	}
	MUST(slab->cache == cache && slab->level == level);
	MUST(bits == slab->free && bits > 0);
	MUST((level == PARTIAL_LEVELS) == (bits == cache->slab_objects));
	MUST(page && page->type == PAGE_SLAB && page->owner == slab);
	MUST(page_class(slab->start) == cache->id);
	check_strips(cache, slab);
}

static size_t check_list(const struct cache *cache, const struct list *list,
			 unsigned int level, size_t *slabs)
{
	size_t free = 0;

	list_for_each(node, list) {
		const struct slab *slab = container_of(node, struct slab, link);

		check_slab(cache, slab, level);
		free += slab->free;
		++*slabs;
	}
	return free;
}

/*
 * Invariants, while no sweep is under way
 *
 * 1. A slab is on the list of its fullness; a full one is on none.
 * 2. Its count of free objects is the number of bits in its map, and no object
 *    from the untouched ones on is in use.
 * 3. Its pages and its frames in the class map name it and its cache.
 * 4. free_objects and nr_empty are the sums over the lists; there are no more
 *    slabs on them than nr_slabs.
 * 5. No object on an idle or clean strip is in use.
 * 6. The barn's counts agree with its sheaves.
 */
void cache_check(struct cache *cache)
{
	size_t free = 0, slabs = 0, empty = 0, sheaves = 0, objects = 0;

	lock_acquire(&cache->lock);
	for (unsigned int level = 0; level < PARTIAL_LEVELS; level++)
		free += check_list(cache, &cache->partial[level], level,
				   &slabs);
	free += check_list(cache, &cache->empty, PARTIAL_LEVELS, &empty);
	MUST(empty == cache->nr_empty);
	MUST(slabs + empty <= cache->nr_slabs);
	MUST(free == cache->free_objects);
	lock_acquire(&cache->barn.lock);
	for (struct sheaf *sheaf = cache->barn.full; sheaf;
	     sheaf = sheaf->next) {
		sheaves++;
		objects += sheaf->count;
	}
	MUST(sheaves == cache->barn.nr_full);
	MUST(sheaves <= cache->barn.max_full);
	MUST(objects == cache->barn.objects);
	lock_release(&cache->barn.lock);
	lock_release(&cache->lock);
}
