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
		.cache = cache,
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

struct block_info block_find(const void *address, bool entered)
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
	if (!entered)
		return (struct block_info){ .kind = BLOCK_UNKNOWN };
	size = vma_size(address);
	if (size > 0)
		return (struct block_info){ .kind = BLOCK_MAPPING,
					    .size = size };
	return (struct block_info){ .kind = BLOCK_NONE };
}

/* block_find() from outside of the gate. */
static struct block_info look_up(const void *address)
{
	bool entered = heap_ready() && gate_enter(true);
	struct block_info block = block_find(address, entered);

	if (entered)
		gate_leave();
	return block;
}

/* From a signal handler that interrupted the allocator, the size of a mapping
 * can't be had; zero is less than it, as any size would be. */
size_t sm_usable_size(const void *address)
{
	struct block_info block;

	if (!address)
		return 0;
	block = look_up(address);
	return block.kind == BLOCK_NONE ? next_usable_size(address)
					: block.size;
}

int sm_owns(const void *address)
{
	return address && look_up(address).size > 0;
}
