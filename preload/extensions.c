/* SPDX-License-Identifier: MIT */
/* glibc's statistics and controls, from the counters of all layers. */
#include <slubmalloc/malloc.h>
#include <slubmalloc/stats.h>

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>

#include "preload.h"

enum {
	FAST_BLOCK_MAX = 160
}; /* what glibc takes for M_MXFAST at most */

/* Numbers and bytes of free memory that is ready to be used again. */
struct free_memory {
	size_t cached_objects;
	size_t cached_bytes;
	size_t objects;
	size_t object_bytes;
	size_t pages;
	size_t page_bytes;
};

/*
 * There are no arenas, fast bins or a top to be tuned: parameters that only
 * trade speed for memory are taken and change nothing, as glibc takes unknown
 * ones. Refused are those that a program could see at work.
 */
SM_EXPORT int mallopt(int parameter, int value)
{
	switch (parameter) {
	case M_MXFAST:
		return value >= 0 && value <= FAST_BLOCK_MAX;
	case M_PERTURB:
		return value == 0;
	case M_TRIM_THRESHOLD:
		sm_set_retain(value < 0 ? PTRDIFF_MAX : (size_t)value);
		return 1;
	default:
		return 1;
	}
}

static struct free_memory count_free(const struct sm_stats *stats)
{
	struct free_memory free = {
		.pages = stats->free_pages + stats->cached_pages,
	};
	struct sm_cache_stats cache;

	for (size_t i = 0; sm_cache_stats(i, &cache); i++) {
		free.cached_objects += cache.cached_objects;
		free.cached_bytes += cache.cached_objects * cache.object_size;
		free.objects += cache.free_objects;
		free.object_bytes += cache.free_objects * cache.object_size;
	}
	free.page_bytes = free.pages * stats->page_size;
	return free;
}

/*
 * glibc's words for what is here: an "ordinary" block is one of the zones,
 * "fast" ones are the free objects at hand in per-CPU arrays and barns, what
 * "keeps cost" is what malloc_trim() may give back. As in glibc,
 * arena = uordblks + fordblks, and mappings count apart.
 */
SM_EXPORT struct mallinfo2 mallinfo2(void)
{
	struct mallinfo2 info = { 0 };
	struct free_memory free;
	struct sm_stats stats;

	sm_stats(&stats);
	free = count_free(&stats);
	info.uordblks = stats.slab_live + stats.run_pages * stats.page_size;
	info.fordblks = free.cached_bytes + free.object_bytes + free.page_bytes;
	info.arena = info.uordblks + info.fordblks;
	info.ordblks = free.objects + free.pages;
	info.smblks = free.cached_objects;
	info.fsmblks = free.cached_bytes;
	info.hblks = stats.mappings;
	info.hblkhd = stats.mapped;
	info.keepcost = stats.free_dirty_pages * stats.page_size;
	return info;
}

/* The same in ints, which wrap as glibc's do. */
SM_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct mallinfo){
		.arena = (int)info.arena,
		.ordblks = (int)info.ordblks,
		.smblks = (int)info.smblks,
		.hblks = (int)info.hblks,
		.hblkhd = (int)info.hblkhd,
		.usmblks = (int)info.usmblks,
		.fsmblks = (int)info.fsmblks,
		.uordblks = (int)info.uordblks,
		.fordblks = (int)info.fordblks,
		.keepcost = (int)info.keepcost,
	};
}

/* One line of malloc_info() for every cache that has free objects. */
static void print_sizes(FILE *file)
{
	struct sm_cache_stats cache;
	size_t count, smallest = 1;

	fputs("<sizes>\n", file);
	for (size_t i = 0; sm_cache_stats(i, &cache); i++) {
		count = cache.free_objects + cache.cached_objects;
		if (smallest > cache.object_size)
			smallest = cache.object_size;
		if (count)
			fprintf(file,
				"  <size from=\"%zu\" to=\"%zu\" "
				"total=\"%zu\" count=\"%zu\"/>\n",
				smallest, cache.object_size,
				count * cache.object_size, count);
		smallest = cache.object_size + 1;
	}
	fputs("</sizes>\n", file);
}

/* What malloc_info() says of a heap, and again of all of them. */
static void print_totals(FILE *file, const struct sm_stats *stats,
			 const struct free_memory *free)
{
	fprintf(file,
		"<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n"
		"<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n",
		free->cached_objects, free->cached_bytes,
		free->objects + free->pages,
		free->object_bytes + free->page_bytes);
	fprintf(file,
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<system type=\"max\" size=\"%zu\"/>\n"
		"<aspace type=\"total\" size=\"%zu\"/>\n"
		"<aspace type=\"mprotect\" size=\"%zu\"/>\n",
		stats->committed, stats->committed, stats->reserved,
		stats->committed);
}

/* In the form of glibc's version 1, with one heap. */
SM_EXPORT int malloc_info(int options, FILE *file)
{
	struct free_memory free;
	struct sm_stats stats;

	if (options != 0)
		return EINVAL;
	sm_stats(&stats);
	free = count_free(&stats);
	fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n", file);
	print_sizes(file);
	print_totals(file, &stats, &free);
	fprintf(file,
		"</heap>\n"
		"<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n",
		stats.mappings, stats.mapped);
	print_totals(file, &stats, &free);
	fputs("</malloc>\n", file);
	return 0;
}

/* To the descriptor, not the stream: this must not be a cancellation point. */
SM_EXPORT void malloc_stats(void)
{
	struct mallinfo2 info = mallinfo2();
	char text[512];

	snprintf(text, sizeof(text),
		 "Arena 0:\n"
		 "system bytes     = %10zu\n"
		 "in use bytes     = %10zu\n"
		 "Total (incl. mmap):\n"
		 "system bytes     = %10zu\n"
		 "in use bytes     = %10zu\n"
		 "mmap regions     = %10zu\n"
		 "mmap bytes       = %10zu\n",
		 info.arena, info.uordblks, info.arena + info.hblkhd,
		 info.uordblks + info.hblkhd, info.hblks, info.hblkhd);
	say(text);
}
