/* SPDX-License-Identifier: MIT */
/* Collect the counters of all layers, and report them at exit if asked. */
#include "heap/heap.h"

#include <string.h>

static void add_cache(const struct cache_stats *cache, struct sm_stats *stats)
{
	size_t live = cache->objects - cache->free - cache->cached;

	stats->slabs += cache->slabs;
	stats->slab_objects += live;
	stats->slab_live += live * cache->size;
	stats->slab_cached += cache->cached * cache->size;
	stats->slab_free += cache->free * cache->size;
	stats->refills += cache->refills;
	stats->flushes += cache->flushes;
	stats->barn_gets += cache->barn_gets;
	stats->barn_puts += cache->barn_puts;
}

static void collect_slabs(struct sm_stats *stats)
{
	struct cache_stats cache;

	for (size_t i = 0; cache_stats_at(i, &cache); i++)
		add_cache(&cache, stats);
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
	stats->runs -= min_size(runs_cached(), stats->runs);
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
	if (!heap_ready() || !gate_enter(GATE_LONG))
		return;
	collect_pages(stats);
	collect_slabs(stats);
	collect_mappings(stats);
	gate_leave();
}

int sm_cache_stats(size_t index, struct sm_cache_stats *stats)
{
	struct cache_stats cache;
	bool found;

	if (!heap_ready() || !gate_enter(GATE_LONG))
		return 0;
	found = cache_stats_at(index, &cache);
	gate_leave();
	if (found)
		*stats = (struct sm_cache_stats){
			.name = cache.name,
			.object_size = cache.size,
			.slab_pages = cache.slab_pages,
			.objects_per_slab = cache.slab_objects,
			.slabs = cache.slabs,
			.objects = cache.objects,
			.free_objects = cache.free,
			.cached_objects = cache.cached,
		};
	return found;
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
