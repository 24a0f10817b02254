/* SPDX-License-Identifier: MIT */
/* vma_check(): every invariant of the mappings. */
#include "vma/mapping.h"

/*
 * Invariants:
 *
 * 1. The tree is ordered and balanced; its nodes are the live and the recently
 *    freed mappings, and the list by start has the same in the same order.
 * 2. A mapping is whole pages, at least one, and starts at a page.
 * 3. No two mappings overlap, wherever they are, and no two recently freed ones
 *    touch.
 * 4. The count and the bytes of the live mappings, and of each shelf, are those
 *    of the mappings there.
 * 5. The recently freed are in the order in which they were freed, the last
 *    first, none later than this tick; none passes for zero.
 * 6. The bins have the recently freed mappings, each in that of its size, but
 *    for the one that was added last.
 * 7. Live and recently freed bytes together are within the limit, and the live
 *    ones within their peak.
 * 8. No more of what was given out came from the cache than was given out.
 */

/* Rule 2. */
static void check_bounds(const struct mapping *mapping)
{
	size_t page = os_page_bytes();

	MUST(mapping->bytes > 0 && mapping->bytes % page == 0);
	MUST(mapping->node.key % page == 0);
	MUST(mapping_end(mapping) > mapping->node.key);
}

/* Rules 1 and 4, and 3 in the tree. */
static void check_tree(const struct vma_state *vma)
{
	const struct list *link = &vma->by_start;
	size_t count = 0, bytes = 0;
	uintptr_t end = 0;
	bool is_live = true;

	MUST(tree_check(&vma->tree) == vma->count + vma->recent.count);
	for (struct tree_node *node = tree_first(&vma->tree); node;
	     node = tree_next(&vma->tree, node)) {
		struct mapping *mapping =
			container_of(node, struct mapping, node);

		check_bounds(mapping);
		MUST(link->next == &mapping->by_start);
		MUST(mapping->by_start.prev == link);
		MUST(mapping->node.key >= end);
		MUST(mapping->node.key > end || is_live || mapping->is_live);
		link = link->next;
		end = mapping_end(mapping);
		is_live = mapping->is_live;
		count += is_live;
		bytes += is_live ? mapping->bytes : 0;
	}
	MUST(link->next == &vma->by_start);
	MUST(count == vma->count);
	MUST(bytes == vma->bytes);
}

/* Rule 3: of those in the tree, none but @mapping itself, that starts before
 * its end, reaches into it. */
static void check_not_in_tree(const struct vma_state *vma,
			      const struct mapping *mapping)
{
	struct tree_node *node =
		tree_floor(&vma->tree, mapping_end(mapping) - 1);

	MUST(!node || node == &mapping->node ||
	     mapping_end(container_of(node, struct mapping, node)) <=
		     mapping->node.key);
}

/* Rule 3: of all that are on @shelf, none but @mapping itself is in it. */
static void check_not_on(const struct shelf *shelf,
			 const struct mapping *mapping)
{
	list_for_each(link, &shelf->mappings) {
		struct mapping *other =
			container_of(link, struct mapping, shelf);

		MUST(other == mapping ||
		     mapping_end(other) <= mapping->node.key ||
		     other->node.key >= mapping_end(mapping));
	}
}

static void check_shelf(const struct vma_state *vma, const struct shelf *shelf)
{
	size_t count = 0, bytes = 0;

	list_for_each(link, &shelf->mappings) {
		struct mapping *mapping =
			container_of(link, struct mapping, shelf);

		MUST(link->next->prev == link);
		MUST(!mapping->is_live);
		check_bounds(mapping);
		check_not_in_tree(vma, mapping);
		check_not_on(&vma->stranded, mapping);
		count++;
		bytes += mapping->bytes;
	}
	MUST(count == shelf->count);
	MUST(bytes == shelf->bytes);
}

/* Rule 5; the number of a tick may wrap. */
static void check_ages(const struct vma_state *vma)
{
	unsigned int age = 0;

	list_for_each(link, &vma->recent.mappings) {
		struct mapping *mapping =
			container_of(link, struct mapping, shelf);

		MUST(vma->tick - mapping->shelved >= age);
		MUST(!mapping->is_zero);
		age = vma->tick - mapping->shelved;
	}
}

/* Rule 6. */
static void check_bins(const struct vma_state *vma)
{
	const struct mapping *last = vma->bins.last;
	size_t count = last != NULL;

	MUST(!last || !list_empty(&last->shelf));
	for (unsigned int bin = 0; bin < BINS; bin++) {
		if (!test_bit(vma->bins.filled, bin))
			continue;
		MUST(!list_empty(&vma->bins.lists[bin]));
		list_for_each(link, &vma->bins.lists[bin]) {
			struct mapping *mapping =
				container_of(link, struct mapping, bin);

			MUST(vma_bin_of(mapping->bytes) == bin);
			MUST(mapping != last);
			MUST(!list_empty(&mapping->shelf));
			count++;
		}
	}
	MUST(count == vma->recent.count);
}

void vma_check(void)
{
	const struct vma_state *vma = &vma_state;

	lock_acquire(&vma_state.lock);
	check_tree(vma);
	check_shelf(vma, &vma->recent);
	check_shelf(vma, &vma->stranded);
	check_ages(vma);
	check_bins(vma);
	MUST(vma->bytes <= vma->peak);
	MUST(vma->bytes + vma->recent.bytes <= vma_most_locked(vma));
	MUST(vma->hits <= vma->allocs);
	lock_release(&vma_state.lock);
}
