/* SPDX-License-Identifier: MIT */
/* Mappings in the tree and in the system: made, found, split, unmapped. */
/*
 * Besides the tree, a list has its members in the same order, so that the
 * neighbours of one are at hand. Where a mapping is split or its border is
 * moved, its key changes but not its place in the order; so the tree needn't be
 * told.
 */
#include "vma/mapping.h"

#include <stdint.h>

static struct mapping *mapping_of(struct list *link)
{
	return container_of(link, struct mapping, by_start);
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

static struct mapping *struct_new(unsigned int flags)
{
	struct mapping *mapping = meta_alloc(sizeof(*mapping), flags);

	if (mapping) {
		list_init(&mapping->by_start);
		list_init(&mapping->shelf);
		list_init(&mapping->bin);
	}
	return mapping;
}

struct mapping *mapping_new(size_t bytes, size_t align)
{
	size_t page = os_page_bytes(), slack = align > page ? align - page : 0;
	struct mapping *mapping = struct_new(0);
	void *start;

	if (!mapping)
		return NULL;
	start = os_map(bytes + slack);
	if (!start) {
		meta_free(mapping, sizeof(*mapping));
		return NULL;
	}
	mapping->node.key = (uintptr_t)start;
	mapping->bytes = bytes + slack;
	mapping->is_zero = true;
	return trim_to_align(mapping, bytes, align) ? mapping : NULL;
}

static size_t unmap_one(struct mapping *mapping)
{
	size_t bytes = mapping->bytes;

	if (os_unmap(mapping_start(mapping), bytes) < 0) {
		vma_cache_strand(mapping,
				 os_discard(mapping_start(mapping), bytes));
		return 0;
	}
	meta_free(mapping, sizeof(*mapping));
	return bytes;
}

size_t mappings_unmap(struct list *surplus)
{
	size_t bytes = 0;

	list_for_each_safe(link, following, surplus) {
		list_remove(link);
		bytes += unmap_one(container_of(link, struct mapping, shelf));
	}
	return bytes;
}

struct mapping *vma_find_locked(const void *start)
{
	struct tree_node *node;
	struct mapping *mapping;

	CHECK(lock_is_held(&vma_state.lock));
	node = tree_find(&vma_state.tree, (uintptr_t)start);
	mapping = node ? container_of(node, struct mapping, node) : NULL;
	return mapping && mapping->is_live ? mapping : NULL;
}

void mapping_link_locked(struct mapping *mapping)
{
	struct tree_node *before;

	CHECK(lock_is_held(&vma_state.lock));
	before = tree_floor(&vma_state.tree, mapping->node.key);
	list_insert_after(
		before ? &container_of(before, struct mapping, node)->by_start
		       : &vma_state.by_start,
		&mapping->by_start);
	tree_insert(&vma_state.tree, &mapping->node);
}

void mapping_unlink_locked(struct mapping *mapping)
{
	CHECK(lock_is_held(&vma_state.lock));
	list_remove(&mapping->by_start);
	tree_remove(&vma_state.tree, &mapping->node);
}

struct mapping *mapping_before_locked(const struct mapping *mapping)
{
	struct list *link = mapping->by_start.prev;

	if (link == &vma_state.by_start || mapping_of(link)->is_live ||
	    mapping_end(mapping_of(link)) != mapping->node.key)
		return NULL;
	return mapping_of(link);
}

struct mapping *mapping_after_locked(const struct mapping *mapping)
{
	struct list *link = mapping->by_start.next;

	if (link == &vma_state.by_start || mapping_of(link)->is_live ||
	    mapping_of(link)->node.key != mapping_end(mapping))
		return NULL;
	return mapping_of(link);
}

struct mapping *mapping_split_locked(struct mapping *mapping, size_t bytes,
				     unsigned int flags)
{
	struct mapping *front = struct_new(flags);

	if (!front)
		return NULL;
	front->node.key = mapping->node.key;
	front->bytes = bytes;
	front->shelved = mapping->shelved;
	mapping->node.key += bytes;
	mapping->bytes -= bytes;
	mapping_link_locked(front);
	return front;
}

void mapping_merge_locked(struct mapping *mapping, struct mapping *after)
{
	mapping_unlink_locked(after);
	mapping->bytes += after->bytes;
	meta_free(after, sizeof(*after));
}

void vma_revive_locked(struct mapping *mapping)
{
	mapping->is_live = true;
	vma_state.count++;
	vma_state.bytes += mapping->bytes;
	vma_state.peak = max_size(vma_state.peak, vma_state.bytes);
}

void vma_retire_locked(struct mapping *mapping)
{
	mapping->is_live = false;
	vma_state.count--;
	vma_state.bytes -= mapping->bytes;
}

void vma_insert_locked(struct mapping *mapping, struct list *surplus)
{
	mapping_link_locked(mapping);
	vma_revive_locked(mapping);
	vma_cache_limit_locked(surplus);
}

void vma_remove_locked(struct mapping *mapping)
{
	vma_retire_locked(mapping);
	mapping_unlink_locked(mapping);
}
