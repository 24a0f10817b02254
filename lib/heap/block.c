/* SPDX-License-Identifier: MIT */
/* What a block is, from its address alone; and its usable size. */
#include "heap/heap.h"
#include "heap/next.h"

static struct block_info object_at(struct cache *cache, const void *address)
{
	if (cache_object_at(cache, address) != address)
		return (struct block_info){ .kind = BLOCK_NONE };
	return (struct block_info){
		.kind = BLOCK_OBJECT,
		.size = cache->size,
	};
}

static struct block_info run_at(const struct page *page, const void *address)
{
	if (page->type != PAGE_RUN || page_start(page) != address)
		return (struct block_info){ .kind = BLOCK_NONE };
	return (struct block_info){
		.kind = BLOCK_RUN,
		.size = (size_t)page->count << os_page_shift,
	};
}

/* If the gate can't be passed, the tree of mappings is out of reach. */
static struct block_info mapping_at(const void *address)
{
	size_t size;

	if (!heap_ready() || !gate_enter(GATE_LONG))
		return (struct block_info){ .kind = BLOCK_UNKNOWN };
	size = vma_size(address);
	gate_leave();
	if (size == 0)
		return (struct block_info){ .kind = BLOCK_NONE };
	return (struct block_info){ .kind = BLOCK_MAPPING, .size = size };
}

struct block_info block_find(const void *address)
{
	struct cache *cache = cache_of_id(page_class(address));
	struct page *page;
	size_t size;

	if (cache)
		return object_at(cache, address);
	page = page_find(address);
	if (page)
		return run_at(page, address);
	size = emergency_size(address);
	if (size > 0)
		return (struct block_info){ .kind = BLOCK_EMERGENCY,
					    .size = size };
	return mapping_at(address);
}

/* From a signal handler that interrupted the allocator, the size of a mapping
 * can't be had; zero is less than it, as any size would be. */
size_t sm_usable_size(const void *address)
{
	struct block_info block;

	if (!address)
		return 0;
	block = block_find(address);
	return block.kind == BLOCK_NONE ? next_usable_size(address)
					: block.size;
}

int sm_owns(const void *address)
{
	return address && block_find(address).size > 0;
}
