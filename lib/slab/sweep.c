/* SPDX-License-Identifier: MIT */
/*
 * Give pages of slabs back to the system while the slabs live on.
 *
 * Which objects are free isn't kept in them, so a page of a slab on which no
 * object is in use holds nothing. A slab is looked at in strips. A strip whose
 * objects are all free when a pass comes by is idle, until one of them is
 * taken. If it's still idle when the next pass comes by, its memory goes back;
 * then it's clean, and the system gives it new memory when it's written to.
 *
 * The system call runs without the cache's lock. Meanwhile the objects of the
 * strips are out of the slab's map, as if they were in use; so the slab can't
 * be given back under our hands, either.
 *
 * A pass goes from the head of each partial list, where objects are taken, to
 * the tail: a slab that was seen moves there. So the order is the same after
 * the pass, and the lock need not be held throughout.
 */
#include "slab/slab_internal.h"

enum {
	VISITS = 64, /* while the lock is held */
	VISIT_COST = 1,
	CALL_COST = 16,
	WORTH_SHIFT = 5, /* a cache's free share that is worth a look */
};

/* The lowest run of set bits. */
static uint32_t lowest_run(uint32_t strips)
{
	return strips & ~(strips + (strips & -strips));
}

struct range {
	size_t first, count;
};

/* The objects that lie on the run of @strips, some of them in part. */
static struct range objects_on(const struct slab *slab, uint32_t strips)
{
	const struct cache *cache = slab->cache;
	unsigned int shift = strip_shift(cache);
	size_t low = (size_t)__builtin_ctz(strips) << shift;
	size_t high = (size_t)(32 - __builtin_clz(strips)) << shift;
	size_t end = min_size(high, cache->slab_objects * cache->size);
	size_t first = low / cache->size;

	return (struct range){ first, (end - 1) / cache->size + 1 - first };
}

static bool are_free(const struct slab *slab, struct range range)
{
	for (size_t word = range.first / WORD_BITS;
	     word * WORD_BITS < range.first + range.count; word++) {
		if (range_mask(word, range.first, range.count) &
		    ~slab->free_map[word])
			return false;
	}
	return true;
}

/* The strips of @slab on which no object is in use. */
static uint32_t free_strips(const struct slab *slab)
{
	const struct cache *cache = slab->cache;
	unsigned int shift = strip_shift(cache);
	size_t end = cache->slab_objects * cache->size;
	uint32_t strips = 0;

	if (slab->free * cache->size < (size_t)1 << shift)
		return 0;
	for (size_t strip = 0; strip << shift < end; strip++) {
		uint32_t bit = (uint32_t)1 << strip;

		if (are_free(slab, objects_on(slab, bit)))
			strips |= bit;
	}
	return strips;
}

/*
 * The runs among @strips that aren't clean altogether. No object lies on two of
 * them: strips between would have no other object, and be idle as well.
 */
static uint32_t worthy_runs(const struct slab *slab, uint32_t strips)
{
	uint32_t worthy = 0;

	while (strips) {
		uint32_t run = lowest_run(strips);

		strips &= ~run;
		if (run & ~slab->clean)
			worthy |= run;
	}
	return worthy;
}

static void isolate_locked(struct slab *slab, uint32_t strips)
{
	slab->idle &= ~strips;
	slab->clean &= ~strips;
	while (strips) {
		uint32_t run = lowest_run(strips);
		struct range range = objects_on(slab, run);

		strips &= ~run;
		slab_isolate_locked(slab, range.first, range.count);
	}
}

static void restore_locked(struct slab *slab, uint32_t strips, uint32_t clean)
{
	slab->idle |= strips;
	slab->clean |= clean;
	while (strips) {
		uint32_t run = lowest_run(strips);
		struct range range = objects_on(slab, run);

		strips &= ~run;
		slab_restore_locked(slab, range.first, range.count);
	}
}

/* The strips among @strips that are in memory no more. */
static uint32_t discard_strips(const struct slab *slab, uint32_t strips,
			       struct sweep *sweep)
{
	unsigned int shift = strip_shift(slab->cache);
	uint32_t clean = 0;

	while (strips && !sweep->is_refused) {
		uint32_t run = lowest_run(strips);
		size_t low = (size_t)__builtin_ctz(run) << shift;
		size_t bytes = (size_t)__builtin_popcount(run) << shift;

		strips &= ~run;
		sweep->budget -= CALL_COST;
		if (pages_discard(slab->start + low, bytes >> os_page_shift))
			clean |= run;
		else
			sweep->is_refused = true; /* locked memory */
	}
	return clean;
}

/* Drops the lock meanwhile. */
static void return_strips_locked(struct slab *slab, uint32_t strips,
				 struct sweep *sweep)
{
	struct lock *lock = &slab->cache->lock;
	uint32_t clean;

	isolate_locked(slab, strips);
	lock_release(lock);
	clean = discard_strips(slab, strips, sweep);
	lock_acquire(lock);
	restore_locked(slab, strips, clean);
}

static void visit_slab_locked(struct slab *slab, struct sweep *sweep)
{
	uint32_t strips = free_strips(slab);
	uint32_t ripe = worthy_runs(slab, strips & slab->idle);

	slab->idle = strips;
	sweep->budget -= VISIT_COST;
	if (ripe)
		return_strips_locked(slab, ripe, sweep);
	if (strips & ~slab->clean)
		sweep->is_waiting = true;
}

/* A partial slab that this pass hasn't seen, or NULL. */
static struct slab *next_slab_locked(struct cache *cache, uint8_t pass)
{
	for (int level = 0; level < PARTIAL_LEVELS; level++) {
		struct list *list = &cache->partial[level];
		struct slab *slab = list_first(list, struct slab, link);

		if (list_empty(list) || slab->pass == pass)
			continue;
		list_remove(&slab->link);
		list_add_tail(list, &slab->link);
		slab->pass = pass;
		return slab;
	}
	return NULL;
}

/* A few slabs, with the lock held throughout but for system calls. */
static bool visit_some_locked(struct cache *cache, struct sweep *sweep)
{
	struct slab *slab;

	for (int visit = 0; visit < VISITS; visit++) {
		if (sweep->budget <= 0 || sweep->is_refused)
			return false;
		slab = next_slab_locked(cache, sweep->pass);
		if (!slab)
			return false;
		visit_slab_locked(slab, sweep);
	}
	return true;
}

static bool is_worthy(const struct cache *cache)
{
	size_t free = __atomic_load_n(&cache->free_objects, __ATOMIC_RELAXED);
	size_t slabs = __atomic_load_n(&cache->nr_slabs, __ATOMIC_RELAXED);

	/* What was constructed must last. */
	return !cache->constructor &&
	       free > slabs * cache->slab_objects >> WORTH_SHIFT;
}

void cache_sweep(struct cache *cache, struct sweep *sweep)
{
	bool goes_on = is_worthy(cache);

	while (goes_on) {
		lock_acquire(&cache->lock);
		goes_on = visit_some_locked(cache, sweep);
		lock_release(&cache->lock);
	}
	slabs_shrink(cache, cache->max_empty);
}
