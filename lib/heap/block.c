/* SPDX-License-Identifier: MIT */
/* What a block is, from its address alone; and its usable size. */
#include "heap/heap.h"
#include "heap/next.h"

enum {
	FIND_TRIES = 500
}; /* of 20 ms, for a gate that's closed, not quiet */

static struct block_info object_at(struct cache *cache, const void *address)
{
	if (cache_object_at(cache, address) != address)
		return (struct block_info){ .kind = BLOCK_NONE };
	return (struct block_info){
		.kind = BLOCK_OBJECT,
		.size = cache->size,
	};
}

static struct block_info run_at(const void *address)
{
	const struct page *page = run_find(address);

	if (!page)
		return (struct block_info){ .kind = BLOCK_NONE };
	return (struct block_info){
		.kind = BLOCK_RUN,
		.size = (size_t)page->count << os_page_shift,
	};
}

/*
 * The size of the mapping at @address, 0 if there's none. False if it can't be
 * had: in a signal handler that may have interrupted a change of the tree.
 */
static bool find_mapping(const void *address, size_t *ret_size)
{
	for (int tries = 0; tries < FIND_TRIES; tries++) {
		if (gate_enter(GATE_BRIEFLY)) {
			*ret_size = vma_size(address);
			gate_leave();
			return true;
		}
		if (gate_is_inside())
			return false;
		if (gate_hold_quiet()) {
			*ret_size = vma_size_quiet(address);
			gate_release_quiet();
			return true;
		}
	}
	return false;
}

static struct block_info mapping_at(const void *address)
{
	size_t size;

	if (!heap_ready() || !find_mapping(address, &size))
		return (struct block_info){ .kind = BLOCK_UNKNOWN };
	if (size == 0)
		return (struct block_info){ .kind = BLOCK_NONE };
	return (struct block_info){ .kind = BLOCK_MAPPING, .size = size };
}

struct block_info block_find(const void *address)
{
	struct cache *cache = cache_of_id(page_class(address));
	size_t size;

	if (cache)
		return object_at(cache, address);
	if (page_find(address))
		return run_at(address);
	size = emergency_size(address);
	if (size > 0)
		return (struct block_info){ .kind = BLOCK_EMERGENCY,
					    .size = size };
	return mapping_at(address);
}

/* Where the size of a mapping can't be had, zero is less than it, as any number
 * would have to be. */
static NOINLINE size_t usable_size_slow(const void *address)
{
	struct block_info block;

	if (!address)
		return 0;
	block = block_find(address);
	return block.kind == BLOCK_NONE ? next_usable_size(address)
					: block.size;
}

size_t sm_usable_size(const void *address)
{
	size_t size = object_size(address);

	return likely(size) ? size : usable_size_slow(address);
}

int sm_owns(const void *address)
{
	return address && block_find(address).size > 0;
}
