/* SPDX-License-Identifier: MIT */
/* Allocate, free and look up mappings. */
#include "vma/vma.h"

#include <stdint.h>
#include <string.h>

#include <slubmalloc/flags.h>

#include "vma/mapping.h"

enum {
	/*
	 * A dirty mapping up to here is zeroed by writing, a larger one by
	 * giving its memory back. For 16 MiB, either took 0.85 ms where all of
	 * it was present; having it given back and using all of it again took
	 * 8.7 ms. For 64 MiB they were 7.7, 5.2 and 49 ms (measured). So
	 * writing loses little, but makes memory present that may never be
	 * used: so much of it at most.
	 */
	CLEAR_BYTES_MAX = 16 << 20,
};

struct vma_state vma_state = {
	.lock = LOCK_INIT(RANK_VMA),
	.by_start = { &vma_state.by_start, &vma_state.by_start },
	.recent.mappings = { &vma_state.recent.mappings,
			     &vma_state.recent.mappings },
	.stranded.mappings = { &vma_state.stranded.mappings,
			       &vma_state.stranded.mappings },
};

size_t vma_bytes_for(size_t size)
{
	/* So this and any alignment make a sum that doesn't wrap. */
	if (size > PTRDIFF_MAX)
		return 0;
	return round_up(max_size(size, 1), os_page_bytes());
}

static struct mapping *take_stranded(size_t bytes, size_t align)
{
	struct mapping *mapping;

	lock_acquire(&vma_state.lock);
	mapping = vma_cache_take_stranded_locked(bytes, align);
	lock_release(&vma_state.lock);
	return mapping;
}

/* A live mapping whose memory is fresh, or NULL. */
static struct mapping *alloc_new(size_t bytes, size_t align)
{
	struct mapping *mapping = take_stranded(bytes, align);
	struct list surplus;

	if (!mapping)
		mapping = mapping_new(bytes, align);
	if (!mapping && vma_trim() > 0)
		mapping = mapping_new(bytes, align);
	if (!mapping)
		return NULL;
	list_init(&surplus);
	lock_acquire(&vma_state.lock);
	vma_insert_locked(mapping, &surplus);
	vma_state.allocs++;
	lock_release(&vma_state.lock);
	mappings_unmap(&surplus);
	return mapping;
}

/* A live mapping from the cache, or NULL. */
static struct mapping *alloc_cached(size_t bytes, size_t align,
				    unsigned int flags)
{
	struct mapping *mapping;

	if (!lock_acquire_if(&vma_state.lock, !(flags & SM_NOWAIT)))
		return NULL;
	mapping = vma_cache_take_locked(bytes, align, flags);
	if (mapping) {
		vma_state.allocs++;
		vma_state.hits++;
	}
	lock_release(&vma_state.lock);
	return mapping;
}

static void clear(struct mapping *mapping, bool may_discard)
{
	void *start = mapping_start(mapping);

	if (may_discard && mapping->bytes > CLEAR_BYTES_MAX &&
	    os_discard(start, mapping->bytes))
		return;
	memset(start, 0, mapping->bytes);
}

void *vma_alloc(size_t size, size_t align, unsigned int flags)
{
	size_t bytes = vma_bytes_for(size);
	bool wait = !(flags & SM_NOWAIT);
	struct mapping *mapping;

	if (bytes == 0)
		return NULL;
	mapping = alloc_cached(bytes, align, flags);
	if (!mapping && wait)
		mapping = alloc_new(bytes, align);
	if (!mapping)
		return NULL;
	if ((flags & SM_ZERO) && !mapping->is_zero)
		clear(mapping, wait);
	return mapping_start(mapping);
}

bool vma_free(void *start)
{
	struct mapping *mapping;

	lock_acquire(&vma_state.lock);
	mapping = vma_find_locked(start);
	if (mapping) {
		vma_retire_locked(mapping);
		vma_cache_put_locked(mapping);
	}
	lock_release(&vma_state.lock);
	return mapping != NULL;
}

static size_t size_at(const void *start)
{
	struct tree_node *node = tree_find(&vma_state.tree, (uintptr_t)start);
	struct mapping *mapping =
		node ? container_of(node, struct mapping, node) : NULL;

	return mapping && mapping->is_live ? mapping->bytes : 0;
}

size_t vma_size_quiet(const void *start)
{
	return size_at(start);
}

size_t vma_size(const void *start)
{
	size_t bytes;

	lock_acquire(&vma_state.lock);
	bytes = size_at(start);
	lock_release(&vma_state.lock);
	return bytes;
}

void vma_stats(struct vma_stats *stats)
{
	const struct vma_state *vma = &vma_state;

	lock_acquire(&vma_state.lock);
	*stats = (struct vma_stats){
		.count = vma->count,
		.bytes = vma->bytes,
		.allocs = vma->allocs,
		.hits = vma->hits,
		.cached = vma->recent.count + vma->stranded.count,
		.cached_bytes = vma->recent.bytes + vma->stranded.bytes,
	};
	lock_release(&vma_state.lock);
}
