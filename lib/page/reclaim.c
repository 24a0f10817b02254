/* SPDX-License-Identifier: MIT */
/*
 * Give free memory back to the system: the role of kswapd.
 *
 * Pages are taken out of the buddy system while the system call runs, so that
 * the lock isn't held over it; then they are free again, and known to be zero.
 * The range stays mapped and writable: to give memory back never splits a
 * mapping, however often it's done.
 */
#include "page/zone.h"

struct piece {
	struct pageblock *block;
	size_t first; /* page in the pageblock */
	size_t count;
};

/* Take a dirty piece of @block out of the buddy system. */
static bool isolate_piece(struct zone *zone, struct pageblock *block,
			  unsigned int order, struct piece *ret_piece)
{
	size_t count, dirty;
	long first = pageblock_find_dirty(block, order, &count);

	if (first < 0)
		return false;
	dirty = pageblock_count_dirty(block, (size_t)first, count);
	if (block->use == NO_USE)
		block->use = USE_RUN; /* for as long as it's in our hands */
	pageblock_take_range(block, (size_t)first, count);
	zone_count_free_locked(zone, block, -(long)count, -(long)dirty);
	zone_relink_locked(zone, block);
	zone->used[USE_RUN] += count;
	*ret_piece = (struct piece){ block, (size_t)first, count };
	return true;
}

static struct pageblock *first_dirty_free_block(struct zone *zone)
{
	unsigned int order = pageblock_order();

	/* Fullness 1 among the pageblocks of no use: backed ones. */
	if (!(zone->nonempty[NO_USE][order] & 2))
		return NULL;
	return list_first(&zone->lists[NO_USE][order][1], struct pageblock,
			  link);
}

/* Whole pageblocks first: a huge page goes back at once and in one piece, and
 * twenty times cheaper than its 512 small pages. */
static bool isolate_any(struct zone *zone, unsigned int order,
			struct piece *ret_piece)
{
	struct pageblock *whole = first_dirty_free_block(zone);
	size_t blocks = (zone->present + pages_per_block() - 1) /
			pages_per_block();

	if (whole)
		return isolate_piece(zone, whole, pageblock_order(), ret_piece);
	/* From where the last search ended: there may be more in that one. */
	for (size_t i = 0; i < blocks; i++) {
		size_t index = (zone->scan + i) % blocks;

		if (isolate_piece(zone,
				  zone_block(zone, index * pages_per_block()),
				  order, ret_piece)) {
			zone->scan = index;
			return true;
		}
	}
	return false;
}

static void return_piece(struct zone *zone, const struct piece *piece,
			 bool is_clean)
{
	struct pageblock *block = piece->block;

	if (is_clean) {
		pageblock_clear_dirty(block, piece->first, piece->count);
		zone->returned += piece->count << os_page_shift;
	}
	pageblock_free(block, piece->first, piece->count);
	zone_count_free_locked(zone, block, (long)piece->count,
			       (long)pageblock_count_dirty(block, piece->first,
							   piece->count));
	zone_relink_locked(zone, block);
	zone->used[USE_RUN] -= piece->count;
}

static bool discard_piece(struct zone *zone, const struct piece *piece)
{
	size_t page = zone_block_index(zone, piece->block) * pages_per_block() +
		      piece->first;

	return os_discard(zone_address(zone, page),
			  piece->count << os_page_shift);
}

/* Nothing to be had now: look again when notably more has been freed, since a
 * search in vain goes over all pageblocks. */
static void back_off(struct zone *zone)
{
	zone->reclaim_after = zone->freed +
			      zone_watermark(zone, WATERMARK_LOW) / 4;
}

size_t zone_reclaim(struct zone *zone, size_t keep, size_t operations,
		    unsigned int order)
{
	size_t returned = 0;
	struct piece piece;

	lock_acquire(&zone->lock);
	if (zone->reclaiming) {
		lock_release(&zone->lock);
		return 0;
	}
	zone->reclaiming = true;
	while (operations-- > 0 && zone->free_dirty > keep) {
		bool is_clean;

		if (!isolate_any(zone, order, &piece)) {
			back_off(zone);
			break;
		}

		lock_release(&zone->lock);
		is_clean = discard_piece(zone, &piece);
		lock_acquire(&zone->lock);
		return_piece(zone, &piece, is_clean);
		if (!is_clean) {
			back_off(zone); /* locked memory: so is the rest */
			break;
		}
		returned += piece.count;
	}
	zone->reclaiming = false;
	lock_release(&zone->lock);
	return returned;
}
