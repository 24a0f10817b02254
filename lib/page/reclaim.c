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

/* Of a free piece with dirty pages a part that has some, too, of @least pages
 * or not much more. The last, if it can be: the first are used first. */
static void narrow_piece(struct piece *piece, size_t least)
{
	while (piece->count >= 2 * least) {
		piece->count /= 2;
		if (pageblock_count_dirty(piece->block,
					  piece->first + piece->count,
					  piece->count) > 0)
			piece->first += piece->count;
	}
}

/* Take a dirty piece of @block out of the buddy system: at least 2^@order
 * pages, and about @wanted, if it has so many. */
static bool isolate_piece(struct zone *zone, struct pageblock *block,
			  unsigned int order, size_t wanted,
			  struct piece *ret_piece)
{
	struct piece piece = { .block = block };
	long first = pageblock_find_dirty(block, order, &piece.count);
	size_t dirty;

	if (first < 0)
		return false;
	piece.first = (size_t)first;
	narrow_piece(&piece, max_size(wanted, (size_t)1 << order));
	dirty = pageblock_count_dirty(block, piece.first, piece.count);
	if (block->use == NO_USE)
		block->use = USE_RUN; /* for as long as it's in our hands */
	pageblock_take_range(block, piece.first, piece.count);
	zone_count_free_locked(zone, block, -(long)piece.count, -(long)dirty);
	zone_relink_locked(zone, block);
	zone->used[USE_RUN] += piece.count;
	*ret_piece = piece;
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
static bool isolate_any(struct zone *zone, unsigned int order, size_t wanted,
			struct piece *ret_piece)
{
	struct pageblock *whole = wanted >= pages_per_block()
					  ? first_dirty_free_block(zone)
					  : NULL;
	size_t blocks =
		(zone->present + pages_per_block() - 1) / pages_per_block();

	if (whole)
		return isolate_piece(zone, whole, pageblock_order(), wanted,
				     ret_piece);
	/* From where the last search ended: there may be more in that one. */
	for (size_t i = 0; i < blocks; i++) {
		size_t index = (zone->scan + i) % blocks;

		if (isolate_piece(zone,
				  zone_block(zone, index * pages_per_block()),
				  order, wanted, ret_piece)) {
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
	zone_count_free_locked(
		zone, block, (long)piece->count,
		(long)pageblock_count_dirty(block, piece->first, piece->count));
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

/* Return one piece of at least 2^@order pages, and about @wanted; its pages, or
 * 0. The lock is dropped meanwhile. */
static size_t return_one_locked(struct zone *zone, unsigned int order,
				size_t wanted)
{
	struct piece piece;
	bool is_clean;

	if (!isolate_any(zone, order, wanted, &piece))
		return 0;
	lock_release(&zone->lock);
	is_clean = discard_piece(zone, &piece);
	lock_acquire(&zone->lock);
	return_piece(zone, &piece, is_clean);
	/* Locked memory stays, and so does the rest of it. */
	return is_clean ? piece.count : 0;
}

static size_t reclaim_locked(struct zone *zone, size_t keep, size_t operations,
			     unsigned int order)
{
	size_t returned = 0, pages = 1;

	if (zone->reclaiming)
		return 0;
	zone->reclaiming = true;
	while (operations-- > 0 && zone->free_dirty > keep && pages > 0) {
		pages = return_one_locked(zone, order, zone->free_dirty - keep);
		returned += pages;
	}
	zone->reclaiming = false;
	return returned;
}

size_t zone_reclaim(struct zone *zone, size_t keep, size_t operations)
{
	size_t returned;

	lock_acquire(&zone->lock);
	returned = reclaim_locked(zone, keep, operations, 0);
	lock_release(&zone->lock);
	return returned;
}

/*
 * In the path of a free the pieces are worth their system call: 64 KiB. Where a
 * few live slabs in every pageblock leave none of that size, and much is at
 * stake, 16 KiB. Where there are none of those either, nothing for a while: a
 * search in vain goes over all pageblocks.
 */
static const struct step {
	unsigned int shift;	 /* log2 of a piece's bytes */
	unsigned int watermarks; /* dirty pages, in high watermarks */
} steps[] = { { 16, 1 }, { 14, 2 } };

enum {
	SOME_OPERATIONS = 16
};

bool zone_reclaim_is_due_locked(const struct zone *zone)
{
	unsigned int step = zone->reclaim_step;

	if (zone->freed > zone->reclaim_after)
		step = 0;
	return step < ARRAY_SIZE(steps) &&
	       zone->free_dirty > steps[step].watermarks *
					  zone_watermark(zone, WATERMARK_HIGH);
}

static unsigned int step_order(const struct step *step)
{
	return step->shift > os_page_shift ? step->shift - os_page_shift : 0;
}

void zone_reclaim_some(struct zone *zone)
{
	size_t low = zone_watermark(zone, WATERMARK_LOW);

	lock_acquire(&zone->lock);
	if (zone->freed > zone->reclaim_after) {
		zone->reclaim_step = 0;
		zone->reclaim_after = zone->freed + low;
	}
	if (!zone->reclaiming && zone_reclaim_is_due_locked(zone) &&
	    reclaim_locked(zone, low, SOME_OPERATIONS,
			   step_order(&steps[zone->reclaim_step])) == 0)
		zone->reclaim_step++;
	lock_release(&zone->lock);
}
