/* SPDX-License-Identifier: MIT */
/* Allocate and free pages of one zone, and grow it. */
#include "page/zone.h"

#include <slubmalloc/flags.h>

enum {
	MIN_WATERMARK_PAGES = 16,
	/* A small heap shares pageblocks between uses: there, keeping them
	 * apart costs more memory than it can save. */
	GROUPING_BLOCKS = 8,
	HEAP_STEP_MIN = 512 << 10,
	HEAP_STEP_MAX = 64 << 20,
	RETAIN_SHIFT = 5, /* keep a 32nd of what's in use, or the option */
};

/* Steps for the arenas of the zone's own tables: what 256 MiB of heap needs, so
 * that most processes commit each of them once; and less than a huge page, so
 * that none is spent on a small process. */
enum {
	TABLE_PAGES_STEP = 1 << 20,
	TABLE_CLASSES_STEP = 64 << 10,
	TABLE_BLOCKS_STEP = 64 << 10,
};

static size_t retain_bytes; /* [atomic] */
static size_t huge_bytes;   /* [fixed at page_init()] */
static bool have_grown;	    /* [atomic] since the last look */

void zone_set_retain(size_t bytes)
{
	__atomic_store_n(&retain_bytes, bytes, __ATOMIC_RELAXED);
}

void zone_set_huge(size_t bytes)
{
	huge_bytes = round_up(bytes, (size_t)1 << PAGEBLOCK_SHIFT);
}

size_t zone_retain(void)
{
	return __atomic_load_n(&retain_bytes, __ATOMIC_RELAXED);
}

size_t zone_used(const struct zone *zone)
{
	size_t present = __atomic_load_n(&zone->present, __ATOMIC_RELAXED);
	size_t free = __atomic_load_n(&zone->free, __ATOMIC_RELAXED);

	/* Without the lock, the two may be of different moments. */
	return present > free ? present - free : 0;
}

static size_t retained_pages(const struct zone *zone)
{
	return max_size(zone_retain() >> os_page_shift,
			zone_used(zone) >> RETAIN_SHIFT);
}

/* Pages that were in use a moment ago and aren't now: as likely as not they
 * will be again. */
static size_t lately_used_pages(const struct zone *zone)
{
	size_t used = zone_used(zone), most = 0;

	for (int epoch = 0; epoch < EPOCHS; epoch++)
		most = max_size(most, __atomic_load_n(&zone->peaks[epoch],
						      __ATOMIC_RELAXED));
	return most > used ? most - used : 0;
}

size_t zone_watermark(const struct zone *zone, int level)
{
	size_t retained = retained_pages(zone);
	size_t lately = lately_used_pages(zone);

	if (level == WATERMARK_MIN)
		return MIN_WATERMARK_PAGES;
	return max_size(level == WATERMARK_HIGH ? retained : retained / 2,
			lately);
}

bool zone_has_surplus(const struct zone *zone)
{
	return zone_free_dirty(zone) > retained_pages(zone);
}

/* [lock] Note that more pages are in use. */
static void note_peak(struct zone *zone)
{
	size_t used = zone_used(zone);

	if (used > zone->peaks[0])
		__atomic_store_n(&zone->peaks[0], used, __ATOMIC_RELAXED);
}

void zone_start_epoch(struct zone *zone)
{
	lock_acquire(&zone->lock);
	for (int epoch = EPOCHS - 1; epoch > 0; epoch--)
		__atomic_store_n(&zone->peaks[epoch], zone->peaks[epoch - 1],
				 __ATOMIC_RELAXED);
	__atomic_store_n(&zone->peaks[0], zone_used(zone), __ATOMIC_RELAXED);
	lock_release(&zone->lock);
}

static unsigned int fullness_of(const struct zone *zone,
				const struct pageblock *block)
{
	size_t present =
		zone_block_present(zone, zone_block_index(zone, block));
	size_t used = present - block->free_pages;

	if (block->use == NO_USE)
		return block->free_dirty > 0; /* backed ones first */
	return (unsigned int)min_size(used * FULLNESS_LEVELS /
					      pages_per_block(),
				      FULLNESS_LEVELS - 1);
}

/*
 * A pageblock remembers neither its list's order nor its use: both follow from
 * what it was before the change, so the list is found through its head.
 */
static void remove_from_list(struct zone *zone, struct pageblock *block)
{
	struct list *next = block->link.next;

	if (list_empty(&block->link))
		return;
	list_remove(&block->link);
	if (list_empty(next)) {
		/* The last one: what's left is the head, whose place in the
		 * table tells the rest. */
		size_t index = (size_t)(next - &zone->lists[0][0][0]);

		((uint8_t *)zone->nonempty)[index / FULLNESS_LEVELS] &=
			(uint8_t) ~(1u << index % FULLNESS_LEVELS);
	}
}

void zone_relink_locked(struct zone *zone, struct pageblock *block)
{
	int largest = pageblock_largest(block);
	struct list *head;

	CHECK(lock_is_held(&zone->lock));
	remove_from_list(zone, block);
	if (block->free_pages ==
	    zone_block_present(zone, zone_block_index(zone, block)))
		block->use = NO_USE;
	if (largest < 0)
		return;
	block->fullness = (uint8_t)fullness_of(zone, block);
	head = &zone->lists[block->use][largest][block->fullness];
	/* Heads of empty lists are left as they are: zeroes, at first. */
	if (!(zone->nonempty[block->use][largest] >> block->fullness & 1))
		list_init(head);
	list_add_head(head, &block->link);
	zone->nonempty[block->use][largest] |= (uint8_t)(1u << block->fullness);
}

void zone_count_free_locked(struct zone *zone, struct pageblock *block,
			    long pages, long dirty)
{
	CHECK(lock_is_held(&zone->lock));
	block->free_dirty = (uint16_t)(block->free_dirty + dirty);
	__atomic_store_n(&zone->free, zone->free + (size_t)pages,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&zone->free_dirty, zone->free_dirty + (size_t)dirty,
			 __ATOMIC_RELAXED);
}

/* The fullest pageblock of @use with the smallest largest order that suffices.
 */
static struct pageblock *pick_block(struct zone *zone, unsigned int order,
				    unsigned int use)
{
	for (unsigned int o = order; o <= pageblock_order(); o++) {
		unsigned int levels = zone->nonempty[use][o];

		if (levels)
			return list_first(
				&zone->lists[use][o][floor_log2(levels)],
				struct pageblock, link);
	}
	return NULL;
}

/* A pageblock of another use: mixing is the last resort, or for small heaps. */
static struct pageblock *steal_block(struct zone *zone, unsigned int order,
				     enum page_use use)
{
	struct pageblock *block = NULL;

	for (unsigned int other = 0; other < USE_COUNT && !block; other++) {
		if (other != (unsigned int)use)
			block = pick_block(zone, order, other);
	}
	return block;
}

static struct pageblock *find_block(struct zone *zone, unsigned int order,
				    enum page_use use)
{
	struct pageblock *block = pick_block(zone, order, use);

	if (!block)
		block = pick_block(zone, order, NO_USE);
	if (!block && zone->present < GROUPING_BLOCKS * pages_per_block())
		block = steal_block(zone, order, use);
	return block;
}

static bool grow_tables(struct zone *zone, size_t present)
{
	size_t blocks = (present + pages_per_block() - 1) / pages_per_block();
	size_t frames = present << (os_page_shift - FRAME_SHIFT);

	return arena_grow(&zone->pages, present * sizeof(struct page),
			  TABLE_PAGES_STEP) &&
	       arena_grow(&zone->classes, frames, TABLE_CLASSES_STEP) &&
	       arena_grow(&zone->blocks, blocks * sizeof(struct pageblock),
			  TABLE_BLOCKS_STEP);
}

static void publish_window(const struct zone *zone)
{
	if (zone->window)
		__atomic_store_n(&zone->window->granules,
				 zone->present << os_page_shift >> 4,
				 __ATOMIC_RELEASE);
}

static void set_present(struct zone *zone, size_t present)
{
	/* Pairs with the acquire in present_of(): arenas were there first. */
	__atomic_store_n(&zone->present, present, __ATOMIC_RELEASE);
}

/* Pages from the old to the new break become free; fresh ones are clean. */
static void add_present_pages(struct zone *zone, size_t present)
{
	while (zone->present < present) {
		size_t first = zone->present % pages_per_block();
		size_t count = min_size(pages_per_block() - first,
					present - zone->present);
		struct pageblock *block = zone_block(zone, zone->present);

		if (first == 0) {
			list_init(&block->link);
			block->use = NO_USE;
		}
		set_present(zone, zone->present + count);
		pageblock_free(block, first, count);
		zone_count_free_locked(
			zone, block, (long)count,
			(long)pageblock_count_dirty(block, first, count));
		zone_relink_locked(zone, block);
	}
	publish_window(zone);
}

/* The break, in pages, with an aligned block of @order above what is present.
 */
static size_t break_for(const struct zone *zone, unsigned int order)
{
	size_t pages = (size_t)1 << order;

	return round_up(zone->present, pages) + pages;
}

/*
 * A fault for a huge page takes as long as two hundred for small ones, and
 * spares five hundred. What it makes present and isn't used, at most the rest
 * of a pageblock for each use, is little for a large heap and too much for a
 * small one: so only what lies above a limit is asked for in huge pages. The
 * fullest pageblocks are taken from first, so that the rest stays one.
 */
static void advise_huge(struct zone *zone, size_t old, size_t brk)
{
	size_t start = max_size(old, huge_bytes);

	if (huge_bytes > 0 && brk > start)
		os_advise_huge(zone->heap.start + start, brk - start);
}

/* Move the break so that an aligned block of @order fits above it. */
static bool grow_zone(struct zone *zone, unsigned int order)
{
	size_t wanted = break_for(zone, order);
	size_t step =
		clamp_size((size_t)1 << floor_log2(zone->heap.brk / 4 + 1),
			   HEAP_STEP_MIN, HEAP_STEP_MAX);
	size_t old = zone->heap.brk, present;

	if (!arena_grow(&zone->heap, wanted << os_page_shift, step))
		return false;
	advise_huge(zone, old, zone->heap.brk);
	__atomic_store_n(&have_grown, true, __ATOMIC_RELAXED);
	present = zone->heap.brk >> os_page_shift;
	if (!grow_tables(zone, present)) {
		arena_shrink(&zone->heap, zone->present << os_page_shift);
		return false;
	}
	add_present_pages(zone, present);
	return true;
}

bool pages_have_grown(void)
{
	return unlikely(__atomic_load_n(&have_grown, __ATOMIC_RELAXED)) &&
	       __atomic_exchange_n(&have_grown, false, __ATOMIC_RELAXED);
}

/* Keep a few pages at hand for requests that may not enter the kernel. */
static void refill_reserve(struct zone *zone)
{
	if (zone->free < zone_watermark(zone, WATERMARK_MIN))
		grow_zone(zone, 0);
}

static struct pageblock *find_or_grow(struct zone *zone, unsigned int order,
				      enum page_use use, unsigned int flags)
{
	struct pageblock *block = find_block(zone, order, use);

	if (!block && !(flags & SM_NOWAIT) && grow_zone(zone, order))
		block = find_block(zone, order, use);
	return block ? block : steal_block(zone, order, use);
}

/* Take the pages that pageblock_take() found off the books; @count of them are
 * used, the rest of the 2^@order goes back at once. */
static bool settle_taken(struct zone *zone, struct pageblock *block,
			 size_t first, size_t count, unsigned int order)
{
	size_t spare = ((size_t)1 << order) - count;
	size_t dirty = pageblock_count_dirty(block, first, count);

	if (spare > 0)
		pageblock_free(block, first + count, spare);
	pageblock_set_dirty(block, first, count);
	zone_count_free_locked(zone, block, -(long)count, -(long)dirty);
	zone_relink_locked(zone, block);
	return dirty == 0;
}

long zone_take(struct zone *zone, size_t count, size_t align, enum page_use use,
	       unsigned int flags, bool *ret_zero)
{
	unsigned int order = ceil_log2(max_size(count, align));
	struct pageblock *block;
	size_t first;

	if (!lock_acquire_if(&zone->lock, !(flags & SM_NOWAIT)))
		return -1;
	block = find_or_grow(zone, order, use, flags);
	if (!block) {
		lock_release(&zone->lock);
		return -1;
	}
	if (block->use == NO_USE)
		block->use = (uint8_t)use;
	first = pageblock_take(block, order);
	*ret_zero = settle_taken(zone, block, first, count, order);
	zone->used[use] += count;
	note_peak(zone);
	if (!(flags & SM_NOWAIT))
		refill_reserve(zone);
	lock_release(&zone->lock);
	return (long)(zone_block_index(zone, block) * pages_per_block() +
		      first);
}

bool zone_is_full(struct zone *zone, size_t count, size_t align)
{
	unsigned int order = ceil_log2(max_size(count, align));
	bool is_full;

	lock_acquire(&zone->lock);
	is_full = break_for(zone, order) << os_page_shift > zone->heap.reserved;
	lock_release(&zone->lock);
	return is_full;
}

bool zone_take_range(struct zone *zone, size_t first, size_t count,
		     enum page_use use)
{
	struct pageblock *block = zone_block(zone, first);
	size_t index = first % pages_per_block();
	size_t dirty;

	lock_acquire(&zone->lock);
	if (first + count > zone->present ||
	    !pageblock_take_range(block, index, count)) {
		lock_release(&zone->lock);
		return false;
	}
	dirty = pageblock_count_dirty(block, index, count);
	pageblock_set_dirty(block, index, count);
	zone_count_free_locked(zone, block, -(long)count, -(long)dirty);
	zone_relink_locked(zone, block);
	zone->used[use] += count;
	note_peak(zone);
	lock_release(&zone->lock);
	return true;
}

bool zone_give(struct zone *zone, size_t first, size_t count, enum page_use use)
{
	struct pageblock *block = zone_block(zone, first);
	bool is_due;

	lock_acquire(&zone->lock);
	pageblock_free(block, first % pages_per_block(), count);
	zone_count_free_locked(zone, block, (long)count, (long)count);
	zone_relink_locked(zone, block);
	zone->used[use] -= count;
	zone->freed += count;
	is_due = zone_reclaim_is_due_locked(zone);
	lock_release(&zone->lock);
	return is_due;
}

/* Take the free pageblock at the top off the books. */
static bool drop_top_block(struct zone *zone)
{
	size_t index = (zone->present - 1) / pages_per_block();
	size_t count = zone_block_present(zone, index);
	struct pageblock *block = zone_block(zone, zone->present - 1);

	if (block->free_pages != count)
		return false;
	pageblock_take_range(block, 0, count);
	zone_count_free_locked(zone, block, -(long)count,
			       -(long)block->free_dirty);
	zone_relink_locked(zone, block);
	set_present(zone, zone->present - count);
	return true;
}

/* Forget what was known of the pages from the break up to page @end. */
static void clean_above_break(struct zone *zone, size_t end)
{
	for (size_t page = zone->present; page < end; page += pages_per_block())
		pageblock_clear_dirty(zone_block(zone, page), 0,
				      pages_per_block());
}

size_t zone_shrink(struct zone *zone, bool whole)
{
	/* The first pageblock would be needed again at once. */
	size_t keep = whole ? 0 : pages_per_block();
	size_t before, dropped = 0;

	lock_acquire(&zone->lock);
	before = zone->present;
	while (zone->present > keep && drop_top_block(zone))
		continue;
	publish_window(zone);
	if (zone->present < before) {
		if (arena_shrink(&zone->heap, zone->present << os_page_shift)) {
			clean_above_break(zone, before);
			dropped = before - zone->present;
		} else {
			add_present_pages(zone, before);
		}
	}
	lock_release(&zone->lock);
	return dropped << os_page_shift;
}

/* Bytes of all tables of a zone whose window has @window bytes, each a multiple
 * of a pageblock, so that the window is aligned if the reservation is. */
struct layout {
	size_t classes, pages, blocks;
};

static struct layout layout_for(size_t window)
{
	size_t unit = (size_t)1 << PAGEBLOCK_SHIFT;
	size_t pages = window >> os_page_shift;

	return (struct layout){
		.classes = round_up(window >> FRAME_SHIFT, unit),
		.pages = round_up(pages * sizeof(struct page), unit),
		.blocks = round_up((window >> PAGEBLOCK_SHIFT) *
					   sizeof(struct pageblock),
				   unit),
	};
}

void zone_init(struct zone *zone)
{
	lock_init(&zone->lock, RANK_ZONE);
}

/* Of a zone that has come to an end, all of them. */
static size_t give_back_tables(struct zone *zone)
{
	if (zone->present == 0) {
		arena_shrink(&zone->pages, 0);
		arena_shrink(&zone->blocks, 0);
		arena_shrink(&zone->classes, 0);
	}
	return arena_give_back(&zone->pages) + arena_give_back(&zone->blocks) +
	       arena_give_back(&zone->classes);
}

/* The tables and the window come out of one reservation: a process makes one
 * system call for all of its address space. */
bool zone_reserve(struct zone *zone, size_t most)
{
	size_t unit = (size_t)1 << PAGEBLOCK_SHIFT;
	struct arena whole, unaligned;
	struct layout layout;
	size_t bytes = arena_reserve(&whole, most, 8 * unit);

	if (bytes == 0)
		return false;
	layout = layout_for(bytes);
	lock_acquire(&zone->lock);
	give_back_tables(zone); /* if the system refused when its window went */
	arena_cut(&whole,
		  round_up((uintptr_t)whole.start, unit) -
			  (uintptr_t)whole.start,
		  &unaligned);
	arena_cut(&whole, layout.classes, &zone->classes);
	arena_cut(&whole, layout.blocks, &zone->blocks);
	arena_cut(&whole, layout.pages, &zone->pages);
	if (unaligned.reserved > 0)
		os_unmap(unaligned.start, unaligned.reserved);
	zone->heap = whole; /* its last pageblock may be cut short */
	lock_release(&zone->lock);
	return true;
}

size_t zone_give_back_addresses(struct zone *zone, bool whole)
{
	size_t bytes;

	zone_shrink(zone, whole);
	lock_acquire(&zone->lock);
	bytes = arena_give_back(&zone->heap);
	/* Where the system refused, the tables must serve the window on. */
	if (zone->heap.reserved == zone->present << os_page_shift)
		bytes += give_back_tables(zone);
	lock_release(&zone->lock);
	return bytes;
}

/*
 * Invariants
 *
 * 1. Every pageblock holds its own (see pageblock_check()).
 * 2. A pageblock with a free page is on the list of its use, its largest free
 *    order and its fullness; one without is on none.
 * 3. nonempty says which lists aren't empty.
 * 4. free and free_dirty are the sums over the pageblocks, and free and used
 *    add up to present.
 * 5. A pageblock has no use exactly if all its present pages are free.
 */
void zone_check(struct zone *zone)
{
	size_t free = 0, dirty = 0, used = 0;
	size_t blocks =
		(zone->present + pages_per_block() - 1) / pages_per_block();

	lock_acquire(&zone->lock);
	for (size_t i = 0; i < blocks; i++) {
		struct pageblock *block =
			zone_block(zone, i * pages_per_block());
		int largest = pageblock_largest(block);

		pageblock_check(block);
		free += block->free_pages;
		dirty += block->free_dirty;
		MUST((block->use == NO_USE) ==
		     (block->free_pages == zone_block_present(zone, i)));
		MUST(list_empty(&block->link) == (largest < 0));
		MUST(largest < 0 ||
		     block->fullness == fullness_of(zone, block));
		MUST(largest < 0 ||
		     zone->nonempty[block->use][largest] >> block->fullness &
			     1);
	}
	for (unsigned int use = 0; use < USE_COUNT; use++)
		used += zone->used[use];
	MUST(free == zone->free);
	MUST(dirty == zone->free_dirty);
	MUST(free + used == zone->present);
	lock_release(&zone->lock);
}
