/* SPDX-License-Identifier: MIT */
/* Change the size of a mapping: the kernel moves its pages, not its bytes. */
/*
 * A mapping that grows is given room for an eighth more when it may be moved:
 * the kernel puts new mappings right below the others, so there is seldom room
 * above one and each growth would be a move. With that room, a block that is
 * grown a page at a time is moved a number of times that is logarithmic in its
 * size. The room is addresses; memory is taken as it's used.
 */
#include "vma/mapping.h"

enum {
	ROOM_SHIFT = 3, /* an eighth: room on growth, and slack that stays */
	COPY_SHIFT = 2, /* to fault in takes some four times what a copy does */
};

/* @mapping may hold @bytes as it is. */
static bool is_good_for(const struct mapping *mapping, size_t bytes)
{
	return mapping->bytes >= bytes &&
	       mapping->bytes - bytes <= mapping->bytes >> ROOM_SHIFT;
}

/* @mapping's bytes and room. */
static size_t roomy_bytes(const struct mapping *mapping)
{
	return round_up(mapping->bytes + (mapping->bytes >> ROOM_SHIFT),
			os_page_bytes());
}

/* Keep all but the first @bytes as if they were freed. Without memory for the
 * struct of the tail, it stays. */
static void shrink_locked(struct mapping *mapping, size_t bytes)
{
	struct mapping *front;

	vma_retire_locked(mapping);
	front = mapping_split_locked(mapping, bytes, 0);
	vma_revive_locked(front ? front : mapping);
	if (front)
		vma_cache_put_locked(mapping);
}

/* Make @mapping of @bytes without a system call, or false. */
static bool resize_locked(struct mapping *mapping, size_t bytes, bool may_move)
{
	if (is_good_for(mapping, bytes))
		return true;
	if (mapping->bytes > bytes) {
		shrink_locked(mapping, bytes);
		return true;
	}
	return vma_cache_extend_locked(
		mapping, bytes,
		may_move ? max_size(bytes, roomy_bytes(mapping)) : bytes);
}

/* To copy into memory that is there costs less than to move @mapping and to
 * fault in what it grows by. */
static bool is_better_copied_locked(const struct mapping *mapping, size_t bytes)
{
	return bytes - mapping->bytes > mapping->bytes >> COPY_SHIFT &&
	       vma_bins_find_locked(bytes, 1);
}

/* Let the system make @mapping of @bytes; false if it refuses. */
static bool remap(struct mapping *mapping, size_t bytes, bool may_move)
{
	void *start = os_remap(mapping_start(mapping), mapping->bytes, bytes,
			       may_move);

	if (!start)
		return false;
	mapping->node.key = (uintptr_t)start;
	mapping->bytes = bytes;
	return true;
}

static bool grow(struct mapping *mapping, size_t bytes, bool may_move)
{
	size_t roomy = roomy_bytes(mapping);

	if (may_move && roomy > bytes && remap(mapping, roomy, true))
		return true;
	if (remap(mapping, bytes, may_move))
		return true;
	return may_move && vma_trim() > 0 && remap(mapping, bytes, true);
}

static void put_back(struct mapping *mapping)
{
	struct list surplus;

	list_init(&surplus);
	lock_acquire(&vma_state.lock);
	vma_insert_locked(mapping, &surplus);
	lock_release(&vma_state.lock);
	mappings_unmap(&surplus);
}

/*
 * Let the system resize @mapping, which was taken out of the tree: the
 * addresses that it leaves can be another mapping's at once. Its start, or
 * NULL.
 */
static void *resize_by_system(struct mapping *mapping, size_t bytes,
			      bool may_move)
{
	bool has_grown = grow(mapping, bytes, may_move);
	void *start = mapping_start(mapping);

	put_back(mapping);
	return has_grown ? start : NULL;
}

void *vma_resize(void *start, size_t size, bool may_move)
{
	size_t bytes = vma_bytes_for(size);
	struct mapping *mapping;
	void *done = NULL;

	if (bytes == 0)
		return NULL;
	lock_acquire(&vma_state.lock);
	mapping = vma_find_locked(start);
	if (mapping && resize_locked(mapping, bytes, may_move))
		done = start;
	if (done ||
	    (mapping && may_move && is_better_copied_locked(mapping, bytes)))
		mapping = NULL;
	if (mapping)
		vma_remove_locked(mapping);
	lock_release(&vma_state.lock);
	return mapping ? resize_by_system(mapping, bytes, may_move) : done;
}
