/* SPDX-License-Identifier: MIT */
/* vma_check(): every invariant of the mappings. */
#include "vma/mapping.h"

/*
 * Invariants:
 *
 * 1. The tree is ordered and balanced; its nodes are the live mappings.
 * 2. A mapping is whole pages, at least one, and starts at a page.
 * 3. No two mappings overlap, wherever they are.
 * 4. The count and the bytes of the live mappings, and of each shelf, are those
 *    of the mappings there.
 * 5. The recently freed are in the order in which they were freed, the last
 *    first, none later than this tick.
 * 6. No more of what was given out came from the cache than was given out.
 */

/* Rule 2. */
static void check_bounds(const struct mapping *mapping)
{
	size_t page = os_page_bytes();

	MUST(mapping->bytes > 0 && mapping->bytes % page == 0);
	MUST(mapping->node.key % page == 0);
	MUST(mapping_end(mapping) > mapping->node.key);
}

/* Rules 1 and 4, and 3 among the live. */
static void check_live(const struct vma_state *vma)
{
	size_t count = 0, bytes = 0;
	uintptr_t end = 0;

	MUST(tree_check(&vma->tree) == vma->count);
	for (struct tree_node *node = tree_first(&vma->tree); node;
	     node = tree_next(&vma->tree, node)) {
		struct mapping *mapping =
			container_of(node, struct mapping, node);

		check_bounds(mapping);
		MUST(mapping->node.key >= end);
		end = mapping_end(mapping);
		count++;
		bytes += mapping->bytes;
	}
	MUST(count == vma->count);
	MUST(bytes == vma->bytes);
}

/* Rule 3: the live ones that could reach into @mapping start before its end. */
static void check_not_live(const struct vma_state *vma,
			   const struct mapping *mapping)
{
	struct tree_node *node =
		tree_floor(&vma->tree, mapping_end(mapping) - 1);

	MUST(!node || mapping_end(container_of(node, struct mapping, node)) <=
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
		check_bounds(mapping);
		check_not_live(vma, mapping);
		check_not_on(&vma->recent, mapping);
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
		age = vma->tick - mapping->shelved;
	}
}

void vma_check(void)
{
	const struct vma_state *vma = &vma_state;

	lock_acquire(&vma_state.lock);
	check_live(vma);
	check_shelf(vma, &vma->recent);
	check_shelf(vma, &vma->stranded);
	check_ages(vma);
	MUST(vma->hits <= vma->allocs);
	lock_release(&vma_state.lock);
}
