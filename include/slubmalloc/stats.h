/* SPDX-License-Identifier: MIT */
/* A snapshot of the allocator's counters, layer by layer. */
#ifndef SLUBMALLOC_STATS_H
#define SLUBMALLOC_STATS_H

#include <stddef.h>

#include <slubmalloc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct sm_stats - the counters; sizes in bytes
 * @reserved: address space reserved for zones
 * @committed: of it, below the break of its arena
 * @page_size: bytes of a page
 * @free_pages: pages in the buddy allocator
 * @free_dirty_pages: of them, not known to be zero, so likely resident
 * @cached_pages: pages in the per-CPU page lists
 * @slab_pages: pages that are slabs
 * @run_pages: pages in allocated runs
 * @meta_pages: pages of the allocator's own structures
 * @slabs: number of slabs
 * @slab_live: bytes of objects that the program holds
 * @slab_cached: bytes of free objects in per-CPU arrays and barns
 * @slab_free: bytes of free objects in slabs
 * @slab_objects: number of objects that the program holds
 * @refills: batches of objects that moved from slabs to per-CPU arrays
 * @flushes: batches of objects that moved from per-CPU arrays to slabs
 * @barn_gets: full sheaves taken from barns
 * @barn_puts: full sheaves given to barns
 * @run_allocs: page runs allocated
 * @run_frees: page runs freed
 * @runs: page runs that the program holds
 * @mappings: mappings that the program holds
 * @mapped: bytes in them
 * @mapping_allocs: mappings allocated
 * @mapping_hits: of them, served from the cache of freed mappings
 * @mappings_cached: freed mappings that are kept
 * @mapped_cached: bytes in them
 * @returned: bytes returned to the system so far
 */
struct sm_stats {
	size_t reserved;
	size_t committed;
	size_t page_size;
	size_t free_pages;
	size_t free_dirty_pages;
	size_t cached_pages;
	size_t slab_pages;
	size_t run_pages;
	size_t meta_pages;
	size_t slabs;
	size_t slab_live;
	size_t slab_cached;
	size_t slab_free;
	size_t slab_objects;
	size_t refills;
	size_t flushes;
	size_t barn_gets;
	size_t barn_puts;
	size_t run_allocs;
	size_t run_frees;
	size_t runs;
	size_t mappings;
	size_t mapped;
	size_t mapping_allocs;
	size_t mapping_hits;
	size_t mappings_cached;
	size_t mapped_cached;
	size_t returned;
};

/**
 * sm_stats() - take a snapshot of the counters
 * @stats: written
 *
 * Other threads go on meanwhile, so the counters of a busy program need not add
 * up to the last object.
 *
 * Context: any thread; not in a signal handler; no allocation.
 */
SM_EXPORT void sm_stats(struct sm_stats *stats);

/**
 * struct sm_cache_stats - one object cache
 * @name: of the cache; valid as long as the cache
 * @object_size: bytes of one object that may be used
 * @slab_pages: pages of one slab
 * @objects_per_slab: objects in one slab
 * @slabs: number of slabs
 * @objects: number of objects in them, free ones included
 * @free_objects: of them, free in their slab
 * @cached_objects: of them, free in a per-CPU array or a barn
 */
struct sm_cache_stats {
	const char *name;
	size_t object_size;
	size_t slab_pages;
	size_t objects_per_slab;
	size_t slabs;
	size_t objects;
	size_t free_objects;
	size_t cached_objects;
};

/**
 * sm_cache_stats() - walk over the caches
 * @index: 0, 1, 2, ... in turn
 * @stats: written, if the return is 1
 *
 * Return: 1, or 0 if @index is past the last cache.
 * Context: any thread; not in a signal handler; no allocation.
 */
SM_EXPORT int sm_cache_stats(size_t index, struct sm_cache_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
