/* SPDX-License-Identifier: MIT */
/* Collect the counters of all layers, and report them at exit if asked. */
#include "heap/heap.h"

#include <string.h>

static void add_cache(const struct cache *cache,
		      const struct cache_stats *counts, struct sm_stats *stats)
{
	size_t live = counts->objects - counts->free - counts->cached;

	stats->slabs += counts->slabs;
	stats->slab_objects += live;
	stats->slab_live += live * cache->size;
	stats->slab_cached += counts->cached * cache->size;
	stats->slab_free += counts->free * cache->size;
	stats->refills += counts->refills;
	stats->flushes += counts->flushes;
	stats->barn_gets += counts->barn_gets;
	stats->barn_puts += counts->barn_puts;
}

static void collect_slabs(struct sm_stats *stats)
{
	struct cache_stats counts;
	struct cache *cache;

	for (size_t i = 0; (cache = cache_at(i)); i++) {
		cache_stats(cache, &counts);
		add_cache(cache, &counts, stats);
	}
}

static void collect_pages(struct sm_stats *stats)
{
	struct page_stats pages;

	page_stats(&pages);
	stats->page_size = os_page_bytes();
	stats->reserved = pages.reserved_bytes;
	stats->committed = pages.committed_bytes;
	stats->returned = pages.returned_bytes;
	stats->free_pages = pages.free;
	stats->free_dirty_pages = pages.free_dirty;
	stats->cached_pages = pages.cached;
	stats->slab_pages = pages.used[USE_SLAB];
	stats->run_pages = pages.used[USE_RUN];
	stats->meta_pages = pages.used[USE_META];
	stats->run_allocs = pages.run_allocs;
	stats->run_frees = pages.run_frees;
	stats->runs = pages.run_allocs - pages.run_frees;
}

static void collect_mappings(struct sm_stats *stats)
{
	struct vma_stats mappings;

	vma_stats(&mappings);
	stats->mappings = mappings.count;
	stats->mapped = mappings.bytes;
	stats->mapping_allocs = mappings.allocs;
	stats->mapping_hits = mappings.hits;
	stats->mappings_cached = mappings.cached;
	stats->mapped_cached = mappings.cached_bytes;
}

void sm_stats(struct sm_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (!heap_ready() || !gate_enter(true))
		return;
	collect_pages(stats);
	collect_slabs(stats);
	collect_mappings(stats);
	gate_leave();
}

int sm_cache_stats(size_t index, struct sm_cache_stats *stats)
{
	struct cache_stats counts;
	struct cache *cache;

	if (!heap_ready() || !gate_enter(true))
		return 0;
	cache = cache_at(index);
	if (cache)
		cache_stats(cache, &counts);
	gate_leave();
	if (!cache)
		return 0;
	*stats = (struct sm_cache_stats){
		.name = cache->name,
		.object_size = cache->size,
		.slab_pages = (size_t)1 << cache->slab_order,
		.objects_per_slab = cache->slab_objects,
		.slabs = counts.slabs,
		.objects = counts.objects,
		.free_objects = counts.free,
		.cached_objects = counts.cached,
	};
	return 1;
}

/* One line a counter: its name as in struct sm_stats, and the number. */
void stats_report(void)
{
	struct sm_stats stats;
	int fd = (int)option_value(OPTION_REPORT);

	if (fd < 0)
		return;
	sm_stats(&stats);
#define REPORT(field) log_counter(fd, #field, stats.field)
	REPORT(reserved);
	REPORT(committed);
	REPORT(page_size);
	REPORT(free_pages);
	REPORT(free_dirty_pages);
	REPORT(cached_pages);
	REPORT(slab_pages);
	REPORT(run_pages);
	REPORT(meta_pages);
	REPORT(slabs);
	REPORT(slab_live);
	REPORT(slab_cached);
	REPORT(slab_free);
	REPORT(slab_objects);
	REPORT(refills);
	REPORT(flushes);
	REPORT(barn_gets);
	REPORT(barn_puts);
	REPORT(run_allocs);
	REPORT(run_frees);
	REPORT(runs);
	REPORT(mappings);
	REPORT(mapped);
	REPORT(mapping_allocs);
	REPORT(mapping_hits);
	REPORT(mappings_cached);
	REPORT(mapped_cached);
	REPORT(returned);
#undef REPORT
}
