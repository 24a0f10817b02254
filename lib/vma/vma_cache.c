/* SPDX-License-Identifier: MIT */
/* The cache of freed mappings: what it keeps, for how long, and unmapping. */
/*
 * To fault the pages of a mapping in again costs a hundred times what it costs
 * to map it (290 us against 1.6 us for 1 MiB, measured), so a freed one is
 * worth keeping for a while. Only for a while: each tick drops a quarter of the
 * bytes that have been there for a whole tick or longer, the oldest first. So a
 * block that is freed and allocated again all the time never faults, and a
 * program that has gone quiet has its memory back in the system within seconds.
 *
 * munmap(2) can fail: where mappings have merged in the kernel, a hole makes
 * two of one, and there is a limit (vm.max_map_count). Such a mapping gives its
 * memory back by madvise(2), which splits nothing, and its addresses are
 * stranded: used by a later allocation that they fit, unmapped when possible.
 */
#include "vma/mapping.h"

enum {
	RECENT_MAX = 64,   /* mappings kept; a search looks at each */
	STRANDED_SEEN = 8, /* stranded mappings that a search looks at */
	SURPLUS_SHIFT = 2, /* one taken is at most a quarter too large */
	DECAY_SHIFT = 2,   /* a tick drops a quarter */
	TICK_MS = 250,
	TICKS_MAX = 24, /* 0.75^24 is a thousandth: no more need be run */

	/* Bytes kept: so many, or an eighth of the live ones if that is more */
	RECENT_BYTES = 32 << 20,
	LIVE_SHIFT = 3,
};

static struct mapping *mapping_of(struct list *link)
{
	return container_of(link, struct mapping, shelf);
}

static void add_to_shelf(struct shelf *shelf, struct mapping *mapping)
{
	list_add_head(&shelf->mappings, &mapping->shelf);
	shelf->count++;
	shelf->bytes += mapping->bytes;
}

static void remove_from_shelf(struct shelf *shelf, struct mapping *mapping)
{
	list_remove(&mapping->shelf);
	shelf->count--;
	shelf->bytes -= mapping->bytes;
}

/* The mapping that is on @shelf for the longest time; it has one. */
static struct mapping *oldest_of(const struct shelf *shelf)
{
	return mapping_of(shelf->mappings.prev);
}

static void discard_oldest(struct shelf *shelf, struct list *surplus)
{
	struct mapping *mapping = oldest_of(shelf);

	remove_from_shelf(shelf, mapping);
	list_add_tail(surplus, &mapping->shelf);
}

static bool fits(const struct mapping *mapping, size_t bytes, size_t align)
{
	return mapping->bytes >= bytes &&
	       mapping->bytes - bytes <= bytes >> SURPLUS_SHIFT &&
	       (mapping->node.key & (align - 1)) == 0;
}

/*
 * The smallest that fits of the first @limit on @shelf, or NULL. Of several,
 * the last freed: more of it is in the processor's caches.
 */
static struct mapping *find_best(const struct shelf *shelf, size_t bytes,
				 size_t align, unsigned int limit)
{
	struct mapping *best = NULL;

	list_for_each(link, &shelf->mappings) {
		struct mapping *mapping = mapping_of(link);

		if (limit-- == 0)
			break;
		if (fits(mapping, bytes, align) &&
		    (!best || mapping->bytes < best->bytes))
			best = mapping;
	}
	return best;
}

static struct mapping *take_best(struct shelf *shelf, size_t bytes,
				 size_t align, unsigned int limit)
{
	struct mapping *best = find_best(shelf, bytes, align, limit);

	if (best)
		remove_from_shelf(shelf, best);
	return best;
}

struct mapping *vma_cache_take_locked(size_t bytes, size_t align)
{
	struct mapping *mapping;

	CHECK(lock_is_held(&vma_state.lock));
	mapping = take_best(&vma_state.recent, bytes, align, RECENT_MAX);
	if (!mapping)
		mapping = take_best(&vma_state.stranded, bytes, align,
				    STRANDED_SEEN);
	return mapping;
}

/* Bytes that the cache may keep; @mapping has just left the live ones. */
static size_t bytes_allowed(const struct mapping *mapping)
{
	return max_size(RECENT_BYTES,
			(vma_state.bytes + mapping->bytes) >> LIVE_SHIFT);
}

void vma_cache_put_locked(struct mapping *mapping, struct list *surplus)
{
	struct shelf *recent = &vma_state.recent;
	size_t allowed = bytes_allowed(mapping);

	CHECK(lock_is_held(&vma_state.lock));
	/* One that can't be kept must not drive out those that can. */
	if (mapping->bytes > allowed) {
		list_add_tail(surplus, &mapping->shelf);
		return;
	}
	mapping->shelved = vma_state.tick;
	mapping->is_zero = false;
	add_to_shelf(recent, mapping);
	while (recent->count > RECENT_MAX || recent->bytes > allowed)
		discard_oldest(recent, surplus);
}

/* One tick: the quarter, and one stranded mapping, for another try. */
static void decay(struct list *surplus)
{
	struct shelf *recent = &vma_state.recent;
	size_t keep = recent->bytes - (recent->bytes >> DECAY_SHIFT);

	while (recent->bytes > keep &&
	       oldest_of(recent)->shelved != vma_state.tick)
		discard_oldest(recent, surplus);
	if (vma_state.stranded.count > 0)
		discard_oldest(&vma_state.stranded, surplus);
	vma_state.tick++;
}

/* Ticks from when one was due until @now_ms, that included. */
static unsigned int ticks_until(uint64_t now_ms, uint64_t due_ms)
{
	uint64_t ticks = (now_ms - due_ms) / TICK_MS + 1;

	return ticks > TICKS_MAX ? TICKS_MAX : (unsigned int)ticks;
}

void vma_cache_tick_locked(uint64_t now_ms, struct list *surplus)
{
	uint64_t due_ms =
		atomic_load_explicit(&vma_state.due_ms, memory_order_relaxed);

	CHECK(lock_is_held(&vma_state.lock));
	if (now_ms < due_ms)
		return;
	for (unsigned int i = ticks_until(now_ms, due_ms); i > 0; i--)
		decay(surplus);
	atomic_store_explicit(&vma_state.due_ms, now_ms + TICK_MS,
			      memory_order_relaxed);
}

/* The system won't unmap @mapping. */
static COLD void strand(struct mapping *mapping)
{
	mapping->is_zero = os_discard(mapping_start(mapping), mapping->bytes);
	lock_acquire(&vma_state.lock);
	add_to_shelf(&vma_state.stranded, mapping);
	lock_release(&vma_state.lock);
}

static size_t unmap_one(struct mapping *mapping)
{
	size_t bytes = mapping->bytes;

	if (os_unmap(mapping_start(mapping), bytes) < 0) {
		strand(mapping);
		return 0;
	}
	meta_free(mapping, sizeof(*mapping));
	return bytes;
}

size_t mappings_unmap(struct list *surplus)
{
	size_t bytes = 0;

	list_for_each_safe(link, following, surplus) {
		list_remove(link);
		bytes += unmap_one(mapping_of(link));
	}
	return bytes;
}

void vma_tick_at(uint64_t now_ms)
{
	struct list surplus;

	if (now_ms < atomic_load_explicit(&vma_state.due_ms,
					  memory_order_relaxed) ||
	    !lock_try(&vma_state.lock))
		return;
	list_init(&surplus);
	vma_cache_tick_locked(now_ms, &surplus);
	lock_release(&vma_state.lock);
	mappings_unmap(&surplus);
}

void vma_tick(void)
{
	vma_tick_at(os_coarse_ms());
}

static void discard_all(struct shelf *shelf, struct list *surplus)
{
	while (shelf->count > 0)
		discard_oldest(shelf, surplus);
}

size_t vma_trim(void)
{
	struct list surplus;

	list_init(&surplus);
	lock_acquire(&vma_state.lock);
	discard_all(&vma_state.recent, &surplus);
	discard_all(&vma_state.stranded, &surplus);
	lock_release(&vma_state.lock);
	return mappings_unmap(&surplus);
}
