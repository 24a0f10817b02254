/* SPDX-License-Identifier: MIT */
/* Allocate and free what the hot paths don't: route by size, and by address. */
#include "heap/heap.h"

#include <errno.h>
#include <string.h>

#include "heap/next.h"

/*
 * An object of a page or more. One that was used just now is zeroed in less
 * time than a fresh one takes to fault in; but if there is none, a fresh one is
 * handed out as it is, and its pages stay untouched.
 */
static void *alloc_zeroed_object(struct cache *cache, size_t size,
				 unsigned int flags)
{
	void *object;

	if (cpu_array_take(cache->id, &object, 1))
		return memset(object, 0, size);
	object = cache_alloc_untouched(cache, flags);
	if (object)
		return object;
	object = cache_alloc_slow(cache, flags);
	return object ? memset(object, 0, size) : NULL;
}

static void *alloc_object(unsigned int class, size_t size, unsigned int flags)
{
	struct cache *cache = cache_of_class(class, flags);
	void *object;

	if (unlikely(!cache))
		return NULL;
	if ((flags & SM_ZERO) && cache->size >= os_page_bytes())
		return alloc_zeroed_object(cache, size, flags);
	object = cache_alloc_slow(cache, flags);
	return object && (flags & SM_ZERO) ? memset(object, 0, size) : object;
}

/* Pages at a larger alignment than theirs. */
static void *alloc_aligned_run(size_t size, size_t align, unsigned int flags,
			       bool *ret_zero)
{
	size_t bytes = round_up(max_size(size, 1), os_page_bytes());

	return pages_alloc(bytes >> os_page_shift, align >> os_page_shift,
			   USE_RUN, flags, ret_zero);
}

static void *alloc_run(size_t size, size_t align, unsigned int flags)
{
	bool is_plain = align <= os_page_bytes() && size > SLAB_SIZE_MAX;
	bool is_zero;
	void *run = is_plain ? run_alloc(size, flags, &is_zero)
			     : alloc_aligned_run(size, align, flags, &is_zero);

	if (run && (flags & SM_ZERO) && !is_zero)
		memset(run, 0, size);
	return run;
}

/* The objects of a class lie at multiples of its size. */
static bool is_object(size_t size, size_t align)
{
	return size <= SLAB_SIZE_MAX && align <= SLAB_ALIGN_MAX;
}

static void *alloc_inside(size_t size, size_t align, unsigned int flags)
{
	if (is_object(size, align))
		return alloc_object(size_class_aligned(size, align), size,
				    flags);
	if (size <= RUN_BYTES_MAX && align <= RUN_BYTES_MAX)
		return alloc_run(size, align, flags);
	return vma_alloc(size, align, flags);
}

/*
 * What is missing may be cached above the layer that ran short. Under a limit
 * on address space, what a mapping needs may be reserved by the zones; without
 * one it's never they who are in the way.
 */
static void *retry_after_reclaim(size_t size, size_t align, unsigned int flags)
{
	bool is_mapping = size > RUN_BYTES_MAX || align > RUN_BYTES_MAX;
	size_t limit;

	if (flags & SM_NOWAIT)
		return NULL;
	limit = is_mapping ? os_address_space_limit() : SIZE_MAX;
	vma_trim();
	if (is_mapping && (limit == SIZE_MAX || size > limit))
		return NULL;
	caches_shrink();
	if (is_mapping) {
		pages_trim(0);
		pages_give_back_addresses();
	}
	return alloc_inside(size, align, flags);
}

static void *alloc_once(size_t size, size_t align, unsigned int flags)
{
	void *block;

	if (unlikely(!heap_ready()))
		return NULL;
	if (unlikely(!gate_enter(flags & SM_NOWAIT ? GATE_NOW : GATE_BRIEFLY)))
		return emergency_alloc(size, align, flags);
	if (!(flags & SM_NOWAIT))
		deferred_run();
	block = alloc_inside(size, align, flags);
	if (unlikely(!block))
		block = retry_after_reclaim(size, align, flags);
	if (!(flags & SM_NOWAIT)) {
		/* No fresh memory beside memory that is kept. */
		if (pages_have_grown())
			vma_trim();
		heap_tick();
	}
	gate_leave();
	return block;
}

/* A hit that isn't the hot paths': at an odd alignment, in a fallback slot, or
 * after a look at the clock. */
static bool pop_block(size_t size, size_t align, void **ret_block)
{
	unsigned int class;

	if (align > SLAB_ALIGN_MAX || size > RUN_BYTES_MAX)
		return false;
	if (size > SLAB_SIZE_MAX)
		return run_pop(size, ret_block) ||
		       run_pop_slot(size, ret_block);
	class = size_class_aligned(size, align);
	return cpu_array_pop(class, ret_block) ||
	       cpu_array_pop_slot(class, ret_block);
}

void *heap_alloc(size_t size, size_t align, unsigned int flags)
{
	void *block = NULL;

	if (unlikely(os_thread.budget < 0) && !(flags & SM_NOWAIT))
		heap_look();
	if (pop_block(size, align, &block))
		return flags & SM_ZERO ? memset(block, 0, size) : block;

	do {
		if (likely(size <= PTRDIFF_MAX && align <= PTRDIFF_MAX))
			block = alloc_once(size, align, flags);
	} while (unlikely(!block) && (flags & SM_NOFAIL) && nofail_retry(size));
	if (unlikely(!block))
		errno = ENOMEM;
	return block;
}

/* @block is in a zone, but is no object: a run, or a mistake. */
static void free_in_zone(void *block, struct page *page)
{
	if (page->type == PAGE_CACHED && page_start(page) == block)
		panic("double free", block);
	if (!run_find(block))
		panic("free of a pointer that is not a block", block);
	run_free(block);
}

bool free_inside(void *block)
{
	struct cache *cache = cache_of_id(page_class(block));
	struct page *page;

	if (cache) {
		cache_free_slow(cache, block);
		return true;
	}
	page = page_find(block);
	if (page) {
		free_in_zone(block, page);
		return true;
	}
	return vma_free(block) || emergency_free(block);
}

void heap_free(void *block)
{
	unsigned int class;
	bool is_ours;

	if (!block)
		return;
	class = page_class(block);
	if (class ? (uintptr_t)block % SM_ALIGN_MIN == 0 &&
			    cpu_array_push_slot(class, block)
		  : run_push_slot(block))
		return;
	if (unlikely(!heap_ready())) {
		next_free(block);
		return;
	}
	if (unlikely(!gate_enter(GATE_BRIEFLY))) {
		deferred_free(block);
		return;
	}
	deferred_run();
	is_ours = free_inside(block);
	heap_tick();
	gate_leave();
	if (unlikely(!is_ours))
		next_free(block);
}
