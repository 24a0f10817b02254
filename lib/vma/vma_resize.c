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
};

/* @mapping may hold @bytes as it is. */
static bool is_good_for(const struct mapping *mapping, size_t bytes)
{
	return mapping->bytes >= bytes &&
	       mapping->bytes - bytes <= mapping->bytes >> ROOM_SHIFT;
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
	size_t roomy = round_up(mapping->bytes + (mapping->bytes >> ROOM_SHIFT),
				os_page_bytes());

	if (may_move && roomy > bytes && remap(mapping, roomy, true))
		return true;
	if (remap(mapping, bytes, may_move))
		return true;
	return may_move && vma_trim() > 0 && remap(mapping, bytes, true);
}

/*
 * Take the mapping at @start out of the tree, unless it's good for @bytes: then
 * *@ret_done is its start. While it's out, the addresses that it leaves can be
 * another mapping's, and the lock need not be held. NULL if there's none to
 * take.
 */
static struct mapping *take_to_resize(void *start, size_t bytes,
				      void **ret_done)
{
	struct mapping *mapping;

	lock_acquire(&vma_state.lock);
	mapping = vma_find_locked(start);
	if (mapping && is_good_for(mapping, bytes)) {
		*ret_done = start;
		mapping = NULL;
	}
	if (mapping)
		vma_remove_locked(mapping);
	lock_release(&vma_state.lock);
	return mapping;
}

static void put_back(struct mapping *mapping)
{
	lock_acquire(&vma_state.lock);
	vma_insert_locked(mapping);
	lock_release(&vma_state.lock);
}

void *vma_resize(void *start, size_t size, bool may_move)
{
	size_t bytes = vma_bytes_for(size);
	struct mapping *mapping;
	void *done = NULL;
	bool holds;

	if (bytes == 0)
		return NULL;
	mapping = take_to_resize(start, bytes, &done);
	if (!mapping)
		return done;
	if (mapping->bytes >= bytes) {
		/* If the tail can't be cut off, it still holds @size. */
		remap(mapping, bytes, false);
		holds = true;
	} else {
		holds = grow(mapping, bytes, may_move);
	}
	done = mapping_start(mapping);
	put_back(mapping);
	return holds ? done : NULL;
}
