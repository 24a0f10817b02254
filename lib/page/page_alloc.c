/* SPDX-License-Identifier: MIT */
/* Allocate and free runs of pages: the per-CPU lists, then zone by zone. */
#include "page/page.h"

#include <slubmalloc/flags.h>

#include "page/pcp.h"

enum {
	EPOCH_MS = 500,
	STEP_MS = 25, /* that a tick's step of zone_reclaim_some() stands for */
	STEPS_MAX = 8, /* after a pause */
};

static struct {
	atomic_size_t run_allocs;    /* [atomic] */
	atomic_size_t run_frees;     /* [atomic] */
	_Atomic uint64_t last_tick;  /* [atomic] ms */
	_Atomic uint64_t next_epoch; /* [atomic] ms, when it begins */
	atomic_size_t discarded;     /* [atomic] bytes, of pages in use */
} pages;

bool page_init(const struct page_options *options)
{
	zone_set_retain(options->retain);
	zone_set_huge(options->huge);
	if (zone_count() > 0)
		return true;
	if (!zones_init(options->window))
		return false;
	pcp_init(options->cpus);
	return true;
}

static struct page *take_from_zones(size_t count, size_t align,
				    enum page_use use, unsigned int flags,
				    bool *ret_zero)
{
	size_t seen;

	do {
		seen = zones_reserved();
		for (size_t i = 0; i < zone_count(); i++) {
			long first = zone_take(zone_at(i), count, align, use,
					       flags, ret_zero);

			if (first >= 0)
				return zone_page(zone_at(i), (size_t)first);
		}
	} while (!(flags & SM_NOWAIT) && zones_add(seen, count, align));
	return NULL;
}

static struct page *take_run(size_t count, size_t align, enum page_use use,
			     unsigned int flags, bool *ret_zero)
{
	struct page *run = NULL;

	/* A slab's count is its alignment, so those are aligned there, too. */
	if (align == 1 || use == USE_SLAB)
		run = pcp_take(count, use);
	if (run) {
		*ret_zero = false;
		return run;
	}
	run = take_from_zones(count, align, use, flags, ret_zero);
	if (!run && !(flags & SM_NOWAIT) && pcp_pages() >= count) {
		/* What is missing may lie in the lists of other CPUs. */
		pcp_drain();
		run = take_from_zones(count, align, use, flags, ret_zero);
	}
	return run;
}

void *pages_alloc(size_t count, size_t align, enum page_use use,
		  unsigned int flags, bool *ret_zero)
{
	static const uint8_t types[USE_COUNT] = {
		[USE_SLAB] = PAGE_SLAB,
		[USE_RUN] = PAGE_RUN,
		[USE_META] = PAGE_META,
	};
	bool is_zero;
	struct page *run;

	CHECK(count > 0 && max_size(count, align) <= pages_per_block());
	run = take_run(count, align, use, flags, &is_zero);
	if (!run)
		return NULL;
	*run = (struct page){
		.count = (uint32_t)count,
		.type = types[use],
		.use = (uint8_t)use,
	};
	if (use == USE_RUN)
		atomic_fetch_add_explicit(&pages.run_allocs, 1,
					  memory_order_relaxed);
	if (ret_zero)
		*ret_zero = is_zero;
	return page_start(run);
}

void pcp_return_run(struct page *run)
{
	char *start = page_start(run);
	struct zone *zone = zone_of(start);
	size_t first = (size_t)(run - zone_page(zone, 0));

	run->type = PAGE_NONE;
	if (zone_give(zone, first, run->count, (enum page_use)run->use))
		zone_reclaim_some(zone);
}

void pages_free(void *start)
{
	struct page *run = page_find(start);

	CHECK(run && (run->type == PAGE_RUN || run->type == PAGE_SLAB));
	if (run->type == PAGE_RUN)
		atomic_fetch_add_explicit(&pages.run_frees, 1,
					  memory_order_relaxed);
	if (!pcp_give(run))
		pcp_return_run(run);
}

bool pages_resize(void *start, size_t count)
{
	struct page *run = page_find(start);
	struct zone *zone = zone_of(start);
	size_t first = (size_t)(run - zone_page(zone, 0));
	size_t old = run->count;

	CHECK(run->type == PAGE_RUN && count > 0);
	if (count > old &&
	    (first % pages_per_block() + count > pages_per_block() ||
	     !zone_take_range(zone, first + old, count - old,
			      (enum page_use)run->use)))
		return false;
	run->count = (uint32_t)count;
	if (count < old && zone_give(zone, first + count, old - count,
				     (enum page_use)run->use))
		zone_reclaim_some(zone);
	return true;
}

bool pages_discard(void *start, size_t count)
{
	size_t bytes = count << os_page_shift;

	if (!os_discard(start, bytes))
		return false;
	atomic_fetch_add_explicit(&pages.discarded, bytes,
				  memory_order_relaxed);
	return true;
}

size_t pages_trim(size_t keep)
{
	size_t bytes = 0;

	pcp_drain();
	for (size_t i = zone_count(); i-- > 0;) {
		bytes += zone_reclaim(zone_at(i), keep >> os_page_shift,
				      SIZE_MAX)
			 << os_page_shift;
		if (keep == 0)
			bytes += zone_shrink(zone_at(i), false);
	}
	return bytes;
}

/* After a long pause all that was remembered is past. */
static void start_epochs(uint64_t now_ms)
{
	uint64_t due =
		atomic_load_explicit(&pages.next_epoch, memory_order_relaxed);
	int epochs = now_ms < due ? 0 : now_ms < due + EPOCH_MS ? 1 : EPOCHS;

	if (epochs > 0)
		atomic_store_explicit(&pages.next_epoch, now_ms + EPOCH_MS,
				      memory_order_relaxed);
	while (epochs-- > 0) {
		for (size_t i = 0; i < zone_count(); i++)
			zone_start_epoch(zone_at(i));
	}
}

/* The longer there was no tick, the more it does. */
static size_t steps_since_last(uint64_t now_ms)
{
	uint64_t last = atomic_exchange(&pages.last_tick, now_ms);

	return clamp_size((now_ms - last) / STEP_MS, 1, STEPS_MAX);
}

bool pages_tick(uint64_t now_ms)
{
	size_t steps = steps_since_last(now_ms);
	bool has_surplus = false;

	start_epochs(now_ms);
	for (size_t i = 0; i < zone_count(); i++) {
		struct zone *zone = zone_at(i);

		for (size_t step = 0; step < steps; step++)
			zone_reclaim_some(zone);
		has_surplus = has_surplus || zone_has_surplus(zone);
	}
	return has_surplus;
}

size_t pages_used_bytes(void)
{
	size_t used = 0;

	for (size_t i = 0; i < zone_count(); i++)
		used += zone_used(zone_at(i));
	return used << os_page_shift;
}

void pages_set_retain(size_t bytes)
{
	zone_set_retain(bytes);
}

size_t pages_retain(void)
{
	return zone_retain();
}

static void add_zone_stats(struct zone *zone, struct page_stats *stats)
{
	lock_acquire(&zone->lock);
	stats->reserved_bytes += zone->heap.reserved;
	stats->committed_bytes += zone->heap.brk;
	stats->returned_bytes += zone->returned;
	stats->free += zone->free;
	stats->free_dirty += zone->free_dirty;
	for (unsigned int use = 0; use < USE_COUNT; use++)
		stats->used[use] += zone->used[use];
	for (size_t page = 0; page < zone->present; page += pages_per_block())
		pageblock_count_free(zone_block(zone, page),
				     stats->free_blocks);
	lock_release(&zone->lock);
}

void page_stats(struct page_stats *stats)
{
	*stats = (struct page_stats){ .zones = zone_count() };
	for (size_t i = 0; i < zone_count(); i++)
		add_zone_stats(zone_at(i), stats);
	for (int level = 0; level < WATERMARKS; level++)
		stats->watermarks[level] = zone_watermark(zone_at(0), level);
	stats->returned_bytes +=
		atomic_load_explicit(&pages.discarded, memory_order_relaxed);
	stats->cached = pcp_pages();
	stats->run_allocs =
		atomic_load_explicit(&pages.run_allocs, memory_order_relaxed);
	stats->run_frees =
		atomic_load_explicit(&pages.run_frees, memory_order_relaxed);
}

void page_check(void)
{
	for (size_t i = 0; i < zone_count(); i++)
		zone_check(zone_at(i));
}
