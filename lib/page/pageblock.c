/* SPDX-License-Identifier: MIT */
/* Split and merge: the buddy system of one pageblock. */
#include "page/pageblock.h"

/* The node of the block of @order that holds page @page. */
static size_t node_of(size_t page, unsigned int order)
{
	return (pages_per_block() + page) >> order;
}

static unsigned int node_order(size_t node)
{
	return pageblock_order() - floor_log2(node);
}

static size_t node_first_page(size_t node)
{
	return (node << node_order(node)) - pages_per_block();
}

/* The first set node of @order, or 0. Nodes of an order are neighbours. */
static size_t find_node(const struct pageblock *block, unsigned int order)
{
	size_t first = node_of(0, order);
	size_t words = (first + WORD_BITS - 1) / WORD_BITS;

	for (size_t word = first / WORD_BITS; word < first / WORD_BITS + words;
	     word++) {
		uint64_t set =
			block->tree[word] & range_mask(word, first, first);

		if (set)
			return word * WORD_BITS + (size_t)__builtin_ctzll(set);
	}
	return 0;
}

static void add_node(struct pageblock *block, size_t node)
{
	unsigned int order = node_order(node);

	set_bit(block->tree, node);
	block->free_orders |= (uint16_t)(1u << order);
	block->free_pages += (uint16_t)(1u << order);
}

static void remove_node(struct pageblock *block, size_t node)
{
	unsigned int order = node_order(node);

	clear_bit(block->tree, node);
	block->free_pages -= (uint16_t)(1u << order);
	if (!find_node(block, order))
		block->free_orders &= (uint16_t) ~(1u << order);
}

/* Free @node, merging it with its buddy as long as that is free. */
static void free_node(struct pageblock *block, size_t node)
{
	while (node > 1 && test_bit(block->tree, node ^ 1)) {
		remove_node(block, node ^ 1);
		node /= 2;
	}
	add_node(block, node);
}

/*
 * Halve @node, which was just taken, until it's @order. The upper half of every
 * cut is free again; the caller keeps the lowest addresses.
 */
static size_t split_node(struct pageblock *block, size_t node,
			 unsigned int order)
{
	while (node_order(node) > order) {
		node *= 2;
		add_node(block, node + 1);
	}
	return node;
}

size_t pageblock_take(struct pageblock *block, unsigned int order)
{
	unsigned int fits = (unsigned int)block->free_orders >> order;
	size_t node;

	CHECK(fits != 0);
	node = find_node(block, order + (unsigned int)__builtin_ctz(fits));
	remove_node(block, node);
	return node_first_page(split_node(block, node, order));
}

/* The largest order of an aligned block that starts at @first, at most @count
 * pages long. */
static unsigned int largest_fit(size_t first, size_t count)
{
	unsigned int order = floor_log2(count);

	if (first != 0 && lowest_bit(first) < (size_t)1 << order)
		order = floor_log2(lowest_bit(first));
	return order;
}

void pageblock_free(struct pageblock *block, size_t first, size_t count)
{
	while (count > 0) {
		unsigned int order = largest_fit(first, count);

		free_node(block, node_of(first, order));
		first += (size_t)1 << order;
		count -= (size_t)1 << order;
	}
}

/* The free node that holds page @page, or 0. */
static size_t find_free_holder(const struct pageblock *block, size_t page)
{
	size_t node = node_of(page, 0);

	while (node > 0 && !test_bit(block->tree, node))
		node /= 2;
	return node;
}

static bool is_range_free(const struct pageblock *block, size_t first,
			  size_t count)
{
	size_t end = first + count;

	while (first < end) {
		size_t node = find_free_holder(block, first);

		if (node == 0)
			return false;
		first = node_first_page(node) + ((size_t)1 << node_order(node));
	}
	return true;
}

bool pageblock_take_range(struct pageblock *block, size_t first, size_t count)
{
	size_t end = first + count;

	if (end > pages_per_block() || !is_range_free(block, first, count))
		return false;
	while (first < end) {
		size_t node = find_free_holder(block, first);
		size_t start = node_first_page(node);
		size_t stop = start + ((size_t)1 << node_order(node));

		remove_node(block, node);
		if (start < first)
			pageblock_free(block, start, first - start);
		if (stop > end)
			pageblock_free(block, end, stop - end);
		first = stop;
	}
	return true;
}

size_t pageblock_count_dirty(const struct pageblock *block, size_t first,
			     size_t count)
{
	size_t sum = 0;

	for (size_t word = first / WORD_BITS; word * WORD_BITS < first + count;
	     word++)
		sum += (size_t)__builtin_popcountll(
			block->dirty[word] & range_mask(word, first, count));
	return sum;
}

void pageblock_set_dirty(struct pageblock *block, size_t first, size_t count)
{
	for (size_t word = first / WORD_BITS; word * WORD_BITS < first + count;
	     word++)
		block->dirty[word] |= range_mask(word, first, count);
}

void pageblock_clear_dirty(struct pageblock *block, size_t first, size_t count)
{
	for (size_t word = first / WORD_BITS; word * WORD_BITS < first + count;
	     word++)
		block->dirty[word] &= ~range_mask(word, first, count);
}

/* The first free node of @order with a dirty page, or 0. */
static size_t find_dirty_node(const struct pageblock *block, unsigned int order)
{
	size_t first = node_of(0, order), count = (size_t)1 << order;

	for (size_t word = first / WORD_BITS; word * WORD_BITS < 2 * first;
	     word++) {
		uint64_t set =
			block->tree[word] & range_mask(word, first, first);

		for (; set; set &= set - 1) {
			size_t node =
				word * WORD_BITS + (size_t)__builtin_ctzll(set);

			if (pageblock_count_dirty(block, node_first_page(node),
						  count) > 0)
				return node;
		}
	}
	return 0;
}

long pageblock_find_dirty(const struct pageblock *block, unsigned int least,
			  size_t *ret_count)
{
	unsigned int orders = block->free_orders;

	if (block->free_dirty == 0)
		return -1;
	/* Largest first: most memory for one system call. */
	for (unsigned int order = pageblock_order() + 1; order-- > least;) {
		size_t node =
			orders >> order & 1 ? find_dirty_node(block, order) : 0;

		if (node) {
			*ret_count = (size_t)1 << order;
			return (long)node_first_page(node);
		}
	}
	return -1;
}

void pageblock_count_free(const struct pageblock *block, size_t *counts)
{
	for (size_t node = 1; node < 2 * pages_per_block(); node++) {
		if (test_bit(block->tree, node))
			counts[node_order(node)]++;
	}
}

/*
 * Invariants
 *
 * 1. No ancestor of a free node is free.
 * 2. No two buddies are free.
 * 3. free_pages, free_orders and free_dirty agree with the bitmaps.
 */
void pageblock_check(const struct pageblock *block)
{
	size_t pages = 0, dirty = 0;
	unsigned int orders = 0;

	for (size_t node = 1; node < 2 * pages_per_block(); node++) {
		size_t count = (size_t)1 << node_order(node);

		if (!test_bit(block->tree, node))
			continue;
		MUST(node == 1 || !test_bit(block->tree, node ^ 1));
		for (size_t up = node / 2; up > 0; up /= 2)
			MUST(!test_bit(block->tree, up));
		pages += count;
		orders |= 1u << node_order(node);
		dirty += pageblock_count_dirty(block, node_first_page(node),
					       count);
	}
	MUST(pages == block->free_pages);
	MUST(orders == block->free_orders);
	MUST(dirty == block->free_dirty);
}
