/* SPDX-License-Identifier: MIT */
/* The cache of freed mappings: what it keeps, and for how long. */
/*
 * To fault the pages of a mapping in costs hundreds of times what it costs to
 * map it, so a freed one is kept: it is likely that a program that had so much
 * in use a moment ago will have it again. But only that: live and kept memory
 * together is never more than the most that was live within the last two
 * epochs, of two ticks each, and a little slack. A free doesn't change the sum,
 * and neither does an allocation from the cache; only fresh memory does, and to
 * make room for it the oldest that is kept goes first. So the peak of a program
 * is what it would be if each free unmapped at once, while one that frees and
 * allocates again doesn't fault. What nobody took for some ticks goes, too.
 *
 * Kept mappings that touch are one, so that none is too small to be of use; and
 * one that is much larger than what is asked for is split.
 *
 * munmap(2) can fail: where mappings have merged in the kernel, a hole makes
 * two of one, and there is a limit (vm.max_map_count). Such a mapping gives its
 * memory back by madvise(2), which splits nothing, and its addresses are
 * stranded: used by a later allocation that they fit, unmapped when possible.
 */
#include <slubmalloc/flags.h>

#include "vma/mapping.h"

enum {
	STRANDED_SEEN = 8, /* stranded mappings that a search looks at */
	TICK_MS = 250,
	EPOCH_TICKS = 2,
	KEPT_TICKS = 3, /* one that nobody took goes at the third */
	TICKS_MAX = 4,	/* after two epochs and KEPT_TICKS all is as it stays */
};

static struct mapping *mapping_of(struct list *link)
{
	return container_of(link, struct mapping, shelf);
}

static void shelf_add(struct shelf *shelf, struct list *at,
		      struct mapping *mapping)
{
	list_insert_after(at, &mapping->shelf);
	shelf->count++;
	shelf->bytes += mapping->bytes;
}

static void shelf_remove(struct shelf *shelf, struct mapping *mapping)
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

/* Let @mapping be recent, freed when the one at @at was, or just now. */
static void recent_add(struct list *at, struct mapping *mapping)
{
	shelf_add(&vma_state.recent, at, mapping);
	vma_bins_add_locked(mapping);
}

static void recent_remove(struct mapping *mapping)
{
	vma_bins_remove_locked(mapping);
	shelf_remove(&vma_state.recent, mapping);
}

/* Move the start of a recent mapping up by @bytes, which aren't all of it. */
static void recent_shrink(struct mapping *mapping, size_t bytes)
{
	vma_bins_remove_locked(mapping);
	mapping->node.key += bytes;
	mapping->bytes -= bytes;
	vma_bins_add_locked(mapping);
	vma_state.recent.bytes -= bytes;
}

/* The first @bytes of a recent mapping as one that is on no shelf, or NULL. */
static struct mapping *recent_split(struct mapping *mapping, size_t bytes,
				    unsigned int flags)
{
	struct mapping *front;

	vma_bins_remove_locked(mapping);
	front = mapping_split_locked(mapping, bytes, flags);
	if (front)
		vma_state.recent.bytes -= bytes;
	vma_bins_add_locked(mapping);
	return front;
}

/* Leave only what starts at a multiple of @align of the recent @mapping. */
static bool cut_head(struct mapping *mapping, size_t align, unsigned int flags)
{
	size_t bytes = round_up(mapping->node.key, align) - mapping->node.key;
	struct mapping *head;

	if (bytes == 0)
		return true;
	head = recent_split(mapping, bytes, flags);
	if (head)
		recent_add(&mapping->shelf, head);
	return head != NULL;
}

/* What holds @bytes at a multiple of @align, out of the recent @mapping. All of
 * it, too, if there's no memory for the struct that a split takes. */
static struct mapping *carve(struct mapping *mapping, size_t bytes,
			     size_t align, unsigned int flags)
{
	struct mapping *front;

	if (!cut_head(mapping, align, flags))
		return NULL;
	if (!mapping_is_good_for(mapping, bytes, 1)) {
		front = recent_split(mapping, bytes, flags);
		if (front)
			return front;
	}
	recent_remove(mapping);
	return mapping;
}

struct mapping *vma_cache_take_locked(size_t bytes, size_t align,
				      unsigned int flags)
{
	struct mapping *mapping;

	CHECK(lock_is_held(&vma_state.lock));
	mapping = vma_bins_find_locked(bytes, align);
	if (mapping)
		mapping = carve(mapping, bytes, align, flags);
	if (mapping)
		vma_revive_locked(mapping);
	return mapping;
}

struct mapping *vma_cache_take_stranded_locked(size_t bytes, size_t align)
{
	unsigned int left = STRANDED_SEEN;

	CHECK(lock_is_held(&vma_state.lock));
	list_for_each(link, &vma_state.stranded.mappings) {
		struct mapping *mapping = mapping_of(link);

		if (left-- == 0)
			break;
		if (mapping_is_good_for(mapping, bytes, align)) {
			shelf_remove(&vma_state.stranded, mapping);
			return mapping;
		}
	}
	return NULL;
}

void vma_cache_put_locked(struct mapping *mapping)
{
	struct mapping *before = mapping_before_locked(mapping);
	struct mapping *after = mapping_after_locked(mapping);

	CHECK(lock_is_held(&vma_state.lock));
	if (after) {
		recent_remove(after);
		mapping_merge_locked(mapping, after);
	}
	if (before) {
		recent_remove(before);
		mapping_merge_locked(before, mapping);
		mapping = before;
	}
	mapping->shelved = vma_state.tick;
	mapping->is_zero = false;
	recent_add(&vma_state.recent.mappings, mapping);
}

bool vma_cache_extend_locked(struct mapping *mapping, size_t bytes, size_t most)
{
	struct mapping *after = mapping_after_locked(mapping);

	CHECK(lock_is_held(&vma_state.lock));
	if (!after || mapping->bytes + after->bytes < bytes)
		return false;
	vma_retire_locked(mapping);
	if (mapping->bytes + after->bytes <= most) {
		recent_remove(after);
		mapping_merge_locked(mapping, after);
	} else {
		recent_shrink(after, most - mapping->bytes);
		mapping->bytes = most;
	}
	vma_revive_locked(mapping);
	return true;
}

static void drop(struct mapping *mapping, struct list *surplus)
{
	recent_remove(mapping);
	mapping_unlink_locked(mapping);
	list_add_tail(surplus, &mapping->shelf);
}

/* Drop the oldest recent mapping, or of it only @excess bytes, if they are
 * less; all of it, too, if there's no memory for the struct of what stays. */
static void drop_oldest(size_t excess, struct list *surplus)
{
	struct mapping *oldest = oldest_of(&vma_state.recent), *kept;

	if (excess < oldest->bytes) {
		kept = recent_split(oldest, oldest->bytes - excess, 0);
		if (kept)
			recent_add(&oldest->shelf, kept);
	}
	drop(oldest, surplus);
}

void vma_cache_limit_locked(struct list *surplus)
{
	const struct vma_state *vma = &vma_state;
	size_t allowed = vma_most_locked(vma) - vma->bytes;

	CHECK(lock_is_held(&vma_state.lock));
	while (vma->recent.bytes > allowed)
		drop_oldest(
			round_up(vma->recent.bytes - allowed, os_page_bytes()),
			surplus);
}

static void discard_stranded(struct list *surplus)
{
	struct mapping *mapping = oldest_of(&vma_state.stranded);

	shelf_remove(&vma_state.stranded, mapping);
	list_add_tail(surplus, &mapping->shelf);
}

static void begin_tick(void)
{
	vma_state.tick++;
	if (vma_state.tick % EPOCH_TICKS == 0) {
		vma_state.peak_before = vma_state.peak;
		vma_state.peak = vma_state.bytes;
	}
}

/* What nobody took, and one stranded mapping, for another try. */
static void drop_aged(struct list *surplus)
{
	struct shelf *recent = &vma_state.recent;

	while (recent->count > 0 &&
	       vma_state.tick - oldest_of(recent)->shelved >= KEPT_TICKS)
		drop(oldest_of(recent), surplus);
	vma_cache_limit_locked(surplus);
	if (vma_state.stranded.count > 0)
		discard_stranded(surplus);
}

/* Ticks from when one was due until @now_ms, that included. */
static unsigned int ticks_until(uint64_t now_ms, uint64_t due_ms)
{
	uint64_t ticks = (now_ms - due_ms) / TICK_MS + 1;

	return ticks > TICKS_MAX ? TICKS_MAX : (unsigned int)ticks;
}

static void tick_locked(uint64_t now_ms, struct list *surplus)
{
	CHECK(lock_is_held(&vma_state.lock));
	if (now_ms < vma_state.due_ms)
		return;
	for (unsigned int i = ticks_until(now_ms, vma_state.due_ms); i > 0; i--)
		begin_tick();
	drop_aged(surplus);
	vma_state.due_ms = now_ms + TICK_MS;
}

bool vma_tick(uint64_t now_ms)
{
	struct list surplus;
	bool are_kept;

	if (!lock_try(&vma_state.lock))
		return true;
	list_init(&surplus);
	tick_locked(now_ms, &surplus);
	are_kept = vma_state.recent.count > 0;
	lock_release(&vma_state.lock);
	mappings_unmap(&surplus);
	return are_kept;
}

COLD void vma_cache_strand(struct mapping *mapping, bool is_zero)
{
	mapping->is_zero = is_zero;
	lock_acquire(&vma_state.lock);
	shelf_add(&vma_state.stranded, &vma_state.stranded.mappings, mapping);
	lock_release(&vma_state.lock);
}

size_t vma_trim(void)
{
	struct list surplus;

	list_init(&surplus);
	lock_acquire(&vma_state.lock);
	while (vma_state.recent.count > 0)
		drop(oldest_of(&vma_state.recent), &surplus);
	while (vma_state.stranded.count > 0)
		discard_stranded(&surplus);
	lock_release(&vma_state.lock);
	return mappings_unmap(&surplus);
}
