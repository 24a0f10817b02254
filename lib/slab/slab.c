/* SPDX-License-Identifier: MIT */
/*
 * Slabs: carve pages into objects, and keep them on lists by fullness.
 *
 * Objects are taken from the fullest slabs, lowest address first, so that the
 * emptiest become free as a whole, and neighbours are handed out together.
 *
 *	free objects	list
 *	none		on no list
 *	some		partial[level], level 0 nearly empty to 3 nearly full
 *	all		empty; a few are kept, the others given back
 */
#include "slab/slab_internal.h"

enum {
	SLAB_SHIFT_MIN = 14,	    /* 16 KiB */
	SLAB_BYTES_GOOD = 64 << 10, /* large enough, however few objects */
	OBJECTS_GOOD = 64,	    /* enough, however small the slab */
	OBJECTS_MIN_LARGE = 8,
	OBJECTS_MIN_HUGE = 4,
};

static size_t slab_bytes(const struct cache *cache)
{
	return (size_t)1 << (cache->slab_order + os_page_shift);
}

static size_t map_words(const struct cache *cache)
{
	return (cache->slab_objects + WORD_BITS - 1) / WORD_BITS;
}

static size_t descriptor_bytes(const struct cache *cache)
{
	return sizeof(struct slab) + map_words(cache) * sizeof(uint64_t);
}

/* So many that a slab is worth its making, if that doesn't make it large. */
static size_t least_objects(size_t size)
{
	if (size <= SLAB_BYTES_GOOD / OBJECTS_MIN_LARGE)
		return min_size(OBJECTS_GOOD, SLAB_BYTES_GOOD / size);
	return size <= SLAB_SIZE_MAX ? OBJECTS_MIN_LARGE : OBJECTS_MIN_HUGE;
}

/* The kernel's rule: the smallest order that holds enough objects and wastes
 * at most a 16th of itself; else an 8th, and so on. */
bool slab_layout(struct cache *cache)
{
	unsigned int least = SLAB_SHIFT_MIN > os_page_shift
				     ? SLAB_SHIFT_MIN - os_page_shift
				     : 0;

	for (size_t share = 16; share >= 2; share /= 2) {
		for (unsigned int order = least; order <= pageblock_order();
		     order++) {
			size_t bytes = (size_t)1 << (order + os_page_shift);
			size_t objects = bytes / cache->size;

			if (objects < least_objects(cache->size) ||
			    bytes % cache->size > bytes / share)
				continue;
			CHECK(objects <= SLAB_OBJECTS_MAX);
			cache->slab_order = order;
			cache->slab_objects = (unsigned int)objects;
			cache->level_objects =
				(unsigned int)objects / PARTIAL_LEVELS + 1;
			cache->reciprocal = (((uint64_t)1 << RECIPROCAL_SHIFT) +
					     cache->size - 1) /
					    cache->size;
			return true;
		}
	}
	return false;
}

static struct slab *slab_of(const struct cache *cache, const void *object)
{
	uintptr_t start = round_down((uintptr_t)object, slab_bytes(cache));
	struct page *page = page_find((void *)start);

	if (!page || page->type != PAGE_SLAB)
		panic("free of a pointer that is in no slab", object);
	return page->owner;
}

static size_t index_at(const struct slab *slab, const void *address)
{
	size_t offset = (size_t)((const char *)address - slab->start);

	return (size_t)(offset * slab->cache->reciprocal >> RECIPROCAL_SHIFT);
}

static void *object_at(const struct slab *slab, size_t index)
{
	return slab->start + index * slab->cache->size;
}

void *cache_object_at(const struct cache *cache, const void *address)
{
	struct slab *slab = slab_of(cache, address);
	size_t index = index_at(slab, address);

	return index < cache->slab_objects ? object_at(slab, index) : NULL;
}

bool cache_object_is_free(struct cache *cache, const void *object)
{
	struct slab *slab = slab_of(cache, object);
	bool is_free;

	lock_acquire(&cache->lock);
	is_free = test_bit(slab->free_map, index_at(slab, object));
	lock_release(&cache->lock);
	return is_free;
}

static void mark_all_free(struct slab *slab)
{
	size_t objects = slab->cache->slab_objects;

	for (size_t word = 0; word < map_words(slab->cache); word++)
		slab->free_map[word] = range_mask(word, 0, objects);
	slab->free = (uint16_t)objects;
}

static_assert(SLAB_OBJECTS_MAX <= UINT16_MAX, "struct slab counts in 16 bits");

static void construct_objects(struct slab *slab)
{
	struct cache *cache = slab->cache;

	if (!cache->constructor)
		return;
	for (size_t i = 0; i < cache->slab_objects; i++)
		cache->constructor(object_at(slab, i));
	slab->is_zero = false;
}

/* The strips of a slab that have bytes from offset @low up to @high. */
static uint32_t strips_between(const struct cache *cache, size_t low,
			       size_t high)
{
	unsigned int shift = strip_shift(cache);

	return UINT32_MAX << (low >> shift) &
	       UINT32_MAX >> (STRIPS - 1 - ((high - 1) >> shift));
}

static struct slab *create_slab(struct cache *cache, unsigned int flags)
{
	size_t count = (size_t)1 << cache->slab_order;
	struct slab *slab = meta_alloc(descriptor_bytes(cache), flags);
	char *start;
	bool is_zero;

	if (!slab)
		return NULL;
	start = pages_alloc(count, count, USE_SLAB, flags, &is_zero);
	if (!start) {
		meta_free(slab, descriptor_bytes(cache));
		return NULL;
	}
	slab->cache = cache;
	slab->start = start;
	slab->is_zero = is_zero;
	if (is_zero)
		slab->clean = strips_between(cache, 0,
					     cache->slab_objects * cache->size);
	list_init(&slab->link);
	mark_all_free(slab);
	construct_objects(slab);
	page_find(start)->owner = slab;
	page_set_class(start, count, cache->id);
	return slab;
}

static void release_slab(struct slab *slab)
{
	struct cache *cache = slab->cache;

	page_set_class(slab->start, (size_t)1 << cache->slab_order, 0);
	pages_free(slab->start);
	meta_free(slab, descriptor_bytes(cache));
}

static void release_slabs(struct list *slabs)
{
	list_for_each_safe(node, next, slabs)
		release_slab(container_of(node, struct slab, link));
}

static void count_free(struct cache *cache, size_t change)
{
	__atomic_store_n(&cache->free_objects, cache->free_objects + change,
			 __ATOMIC_RELAXED);
}

static void count_slabs(struct cache *cache, size_t change)
{
	__atomic_store_n(&cache->nr_slabs, cache->nr_slabs + change,
			 __ATOMIC_RELAXED);
}

/* Three compares are cheaper than a division. */
static unsigned int level_of(const struct cache *cache, const struct slab *slab)
{
	unsigned int used = cache->slab_objects - slab->free;
	unsigned int unit = cache->level_objects;

	return (used >= unit) + (used >= 2 * unit) + (used >= 3 * unit);
}

static_assert(PARTIAL_LEVELS == 4, "level_of() tells four");

/* Put a slab on the list that its number of free objects asks for. */
static void relink_slab_locked(struct cache *cache, struct slab *slab)
{
	unsigned int level = level_of(cache, slab);
	bool was_linked = !list_empty(&slab->link);

	CHECK(lock_is_held(&cache->lock));
	if (slab->free > 0 && slab->free < cache->slab_objects && was_linked &&
	    slab->level == level)
		return;
	if (was_linked) {
		list_remove(&slab->link);
		cache->nr_empty -= slab->level == PARTIAL_LEVELS;
	}
	if (slab->free == 0)
		return;
	if (slab->free == cache->slab_objects) {
		slab->level = PARTIAL_LEVELS;
		cache->nr_empty++;
		list_add_head(&cache->empty, &slab->link);
	} else {
		slab->level = (uint8_t)level;
		/* What is in memory is taken first. */
		if (slab->clean)
			list_add_tail(&cache->partial[level], &slab->link);
		else
			list_add_head(&cache->partial[level], &slab->link);
	}
}

/* A slab with a free object: the fullest, an empty one last. */
static struct slab *first_slab_locked(struct cache *cache)
{
	for (int level = PARTIAL_LEVELS - 1; level >= 0; level--) {
		if (!list_empty(&cache->partial[level]))
			return list_first(&cache->partial[level], struct slab,
					  link);
	}
	if (!list_empty(&cache->empty))
		return list_first(&cache->empty, struct slab, link);
	return NULL;
}

/* Objects from @first to @last are taken. Those are all free ones in between,
 * and a clean or an idle strip has no others. */
static void take_strips(struct slab *slab, size_t first, size_t last)
{
	size_t size = slab->cache->size;
	uint32_t strips =
		strips_between(slab->cache, first * size, (last + 1) * size);

	slab->clean &= ~strips;
	slab->idle &= ~strips;
}

/* Take up to @count objects, lowest address first. */
static unsigned int take_objects(struct slab *slab, void **objects,
				 unsigned int count)
{
	unsigned int taken = 0, most = count < slab->free ? count : slab->free;
	size_t size = slab->cache->size, index = 0;
	char *start = slab->start;

	for (size_t word = 0; taken < most; word++) {
		uint64_t set = slab->free_map[word];

		while (set && taken < most) {
			index = word * WORD_BITS + (size_t)__builtin_ctzll(set);
			objects[taken++] = start + index * size;
			set &= set - 1;
		}
		slab->free_map[word] = set;
	}
	slab->free = (uint16_t)(slab->free - taken);
	if (index >= slab->untouched)
		slab->untouched = (uint16_t)(index + 1);
	if (slab->clean | slab->idle)
		take_strips(slab, index_at(slab, objects[0]), index);
	return taken;
}

static unsigned int take_locked(struct cache *cache, void **objects,
				unsigned int count)
{
	unsigned int taken = 0;
	struct slab *slab;

	while (taken < count && (slab = first_slab_locked(cache))) {
		taken += take_objects(slab, objects + taken, count - taken);
		relink_slab_locked(cache, slab);
	}
	count_free(cache, -(size_t)taken);
	return taken;
}

static void add_slab_locked(struct cache *cache, struct slab *slab)
{
	count_slabs(cache, 1);
	count_free(cache, slab->free);
	relink_slab_locked(cache, slab);
}

/*
 * Add a new slab. The cache's lock is held on entry and on exit, and dropped
 * meanwhile, unless with SM_NOWAIT, which could then not take it again.
 */
static struct slab *make_slab_locked(struct cache *cache, unsigned int flags)
{
	bool drops_lock = !(flags & SM_NOWAIT);
	struct slab *slab;

	if (drops_lock)
		lock_release(&cache->lock);
	slab = create_slab(cache, flags);
	if (drops_lock)
		lock_acquire(&cache->lock);
	if (slab)
		add_slab_locked(cache, slab);
	return slab;
}

unsigned int slabs_take(struct cache *cache, void **objects, unsigned int count,
			unsigned int flags)
{
	unsigned int taken;

	if (!lock_acquire_if(&cache->lock, !(flags & SM_NOWAIT)))
		return 0;
	do {
		taken = take_locked(cache, objects, count);
	} while (taken == 0 && make_slab_locked(cache, flags));
	cache->refills += taken > 0;
	lock_release(&cache->lock);
	return taken;
}

/*
 * Return the first of @objects, and those after it that are of the same slab:
 * how many. What was freed together often lies together. The arithmetic is that
 * of cache_has_object().
 */
static unsigned int return_group_locked(struct slab *slab, void *const *objects,
					unsigned int count)
{
	/* Kept in registers: for all the compiler knows, the map is these. */
	const struct cache *cache = slab->cache;
	const uint64_t reciprocal = cache->reciprocal;
	const size_t limit = cache->slab_objects * cache->size;
	const size_t bytes = slab_bytes(cache);
	const char *const start = slab->start;
	const uint64_t fraction = ((uint64_t)1 << RECIPROCAL_SHIFT) - 1;
	size_t offset = (size_t)((const char *)objects[0] - start);
	uint64_t *word = slab->free_map, bits = *word;
	unsigned int done = 0;

	do {
		uint64_t product = offset * reciprocal;
		size_t index = product >> RECIPROCAL_SHIFT;
		uint64_t bit = (uint64_t)1 << index % WORD_BITS;

		if (unlikely(offset >= limit ||
			     (product & fraction) >= reciprocal))
			panic("free of a pointer inside a block",
			      objects[done]);
		/* Neighbours share a word, which stays in a register. */
		if (word != &slab->free_map[index / WORD_BITS]) {
			*word = bits;
			word = &slab->free_map[index / WORD_BITS];
			bits = *word;
		}
		if (unlikely(bits & bit))
			panic("double free", objects[done]);
		bits |= bit;
		if (++done == count)
			break;
		offset = (size_t)((const char *)objects[done] - start);
	} while (offset < bytes);
	*word = bits;
	slab->free = (uint16_t)(slab->free + done);
	return done;
}

static void return_locked(struct cache *cache, void *const *objects,
			  unsigned int count)
{
	for (unsigned int i = 0; i < count;) {
		struct slab *slab = slab_of(cache, objects[i]);

		if (unlikely(slab->cache != cache))
			panic("free of an object of another cache", objects[i]);
		i += return_group_locked(slab, objects + i, count - i);
		relink_slab_locked(cache, slab);
	}
	count_free(cache, count);
}

/* Unlink empty slabs until only @keep are left. */
static void unlink_empty_locked(struct cache *cache, unsigned int keep,
				struct list *ret_slabs)
{
	while (cache->nr_empty > keep) {
		struct slab *slab =
			list_first(&cache->empty, struct slab, link);

		list_remove(&slab->link);
		list_add_head(ret_slabs, &slab->link);
		cache->nr_empty--;
		count_slabs(cache, -(size_t)1);
		count_free(cache, -(size_t)slab->free);
	}
}

void slabs_return(struct cache *cache, void *const *objects, unsigned int count)
{
	struct list surplus;

	list_init(&surplus);
	lock_acquire(&cache->lock);
	return_locked(cache, objects, count);
	cache->flushes++;
	unlink_empty_locked(cache, cache->max_empty, &surplus);
	lock_release(&cache->lock);
	release_slabs(&surplus);
}

void slabs_shrink(struct cache *cache, unsigned int keep)
{
	struct list surplus;

	list_init(&surplus);
	lock_acquire(&cache->lock);
	unlink_empty_locked(cache, keep, &surplus);
	lock_release(&cache->lock);
	release_slabs(&surplus);
}

void slab_isolate_locked(struct slab *slab, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		clear_bit(slab->free_map, i);
	slab->free = (uint16_t)(slab->free - count);
	count_free(slab->cache, -count);
	relink_slab_locked(slab->cache, slab);
}

void slab_restore_locked(struct slab *slab, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		/* Freed while it was ours. */
		if (unlikely(test_bit(slab->free_map, i)))
			panic("double free", object_at(slab, i));
		set_bit(slab->free_map, i);
	}
	slab->free = (uint16_t)(slab->free + count);
	count_free(slab->cache, count);
	relink_slab_locked(slab->cache, slab);
}

/* The first object of @slab that was never taken. */
static void *take_untouched_locked(struct cache *cache, struct slab *slab)
{
	size_t index = slab->untouched;

	/* A sweep may hold it. */
	if (!slab->is_zero || index >= cache->slab_objects ||
	    !test_bit(slab->free_map, index))
		return NULL;
	clear_bit(slab->free_map, index);
	slab->free--;
	slab->untouched++;
	take_strips(slab, index, index);
	count_free(cache, -(size_t)1);
	relink_slab_locked(cache, slab);
	return object_at(slab, index);
}

void *cache_alloc_untouched(struct cache *cache, unsigned int flags)
{
	void *object = NULL;
	struct slab *slab;

	if (!lock_acquire_if(&cache->lock, !(flags & SM_NOWAIT)))
		return NULL;
	slab = first_slab_locked(cache);
	if (!slab)
		slab = make_slab_locked(cache, flags);
	if (slab)
		object = take_untouched_locked(cache, slab);
	lock_release(&cache->lock);
	return object;
}
