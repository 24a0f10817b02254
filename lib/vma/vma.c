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
	 * giving its memory back. For 8 MiB, writing took 0.35 ms; giving back
	 * took 4.7 ms if all of it was used again, and 0.4 us if nothing had
	 * been (measured). So writing loses little where it loses, but it also
	 * makes memory present that may never be used: so much of it at most.
	 */
	CLEAR_BYTES_MAX = 16 << 20,
};

struct vma_state vma_state = {
	.lock = LOCK_INIT(RANK_VMA),
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

void vma_insert_locked(struct mapping *mapping)
{
	CHECK(lock_is_held(&vma_state.lock));
	tree_insert(&vma_state.tree, &mapping->node);
	vma_state.count++;
	vma_state.bytes += mapping->bytes;
}

struct mapping *vma_find_locked(const void *start)
{
	struct tree_node *node;

	CHECK(lock_is_held(&vma_state.lock));
	node = tree_find(&vma_state.tree, (uintptr_t)start);
	return node ? container_of(node, struct mapping, node) : NULL;
}

void vma_remove_locked(struct mapping *mapping)
{
	CHECK(lock_is_held(&vma_state.lock));
	tree_remove(&vma_state.tree, &mapping->node);
	vma_state.count--;
	vma_state.bytes -= mapping->bytes;
}

static void unmap_alone(struct mapping *mapping)
{
	struct list surplus;

	list_init(&surplus);
	list_add_tail(&surplus, &mapping->shelf);
	mappings_unmap(&surplus);
}

/*
 * Cut a new mapping down to @bytes at a multiple of @align. If the system
 * refuses, the rest of the tail stays part of it; without its head gone it
 * can't be used: then it's disposed of, and false.
 */
static bool trim_to_align(struct mapping *mapping, size_t bytes, size_t align)
{
	uintptr_t start = round_up(mapping->node.key, align);
	size_t head = start - mapping->node.key, tail;

	if (head > 0) {
		if (os_unmap(mapping_start(mapping), head) < 0) {
			unmap_alone(mapping);
			return false;
		}
		mapping->node.key = start;
		mapping->bytes -= head;
	}
	tail = mapping->bytes - bytes;
	if (tail > 0 && os_unmap((char *)start + bytes, tail) == 0)
		mapping->bytes = bytes;
	return true;
}

/* A new mapping that is nowhere yet, all zero, or NULL. */
static struct mapping *map_new(size_t bytes, size_t align)
{
	size_t page = os_page_bytes(), slack = align > page ? align - page : 0;
	struct mapping *mapping = meta_alloc(sizeof(*mapping), 0);
	void *start;

	if (!mapping)
		return NULL;
	start = os_map(bytes + slack);
	if (!start) {
		meta_free(mapping, sizeof(*mapping));
		return NULL;
	}
	list_init(&mapping->shelf);
	mapping->node.key = (uintptr_t)start;
	mapping->bytes = bytes + slack;
	mapping->is_zero = true;
	return trim_to_align(mapping, bytes, align) ? mapping : NULL;
}

/* A new live mapping, or NULL; the cache makes room for it if it must. */
static struct mapping *alloc_new(size_t bytes, size_t align)
{
	struct mapping *mapping = map_new(bytes, align);

	if (!mapping && vma_trim() > 0)
		mapping = map_new(bytes, align);
	if (!mapping)
		return NULL;
	lock_acquire(&vma_state.lock);
	vma_insert_locked(mapping);
	vma_state.allocs++;
	lock_release(&vma_state.lock);
	return mapping;
}

/* A live mapping from the cache, or NULL. */
static struct mapping *alloc_cached(size_t bytes, size_t align, bool wait)
{
	struct mapping *mapping;

	if (!lock_acquire_if(&vma_state.lock, wait))
		return NULL;
	mapping = vma_cache_take_locked(bytes, align);
	if (mapping) {
		vma_insert_locked(mapping);
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
	mapping = alloc_cached(bytes, align, wait);
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
	struct list surplus;

	list_init(&surplus);
	lock_acquire(&vma_state.lock);
	mapping = vma_find_locked(start);
	if (mapping) {
		vma_cache_tick_locked(os_coarse_ms(), &surplus);
		vma_remove_locked(mapping);
		vma_cache_put_locked(mapping, &surplus);
	}
	lock_release(&vma_state.lock);
	mappings_unmap(&surplus);
	return mapping != NULL;
}

static size_t size_at(const void *start)
{
	struct tree_node *node = tree_find(&vma_state.tree, (uintptr_t)start);

	return node ? container_of(node, struct mapping, node)->bytes : 0;
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
