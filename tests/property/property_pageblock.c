/* SPDX-License-Identifier: MIT */
/* The buddy system of a pageblock against a bitmap searched from the start. */
#include "page/pageblock.h"

#include <string.h>

#include "test.h"

enum {
	PAGES_MAX = 1 << PAGE_ORDER_MAX,
	STEPS = 4000
};

/* The twin: a byte for each page, and no structure at all. */
struct horrible_block {
	bool is_free[PAGES_MAX];
	bool is_dirty[PAGES_MAX];
};

static struct pageblock block;
static struct horrible_block twin;

/* What is allocated, by first page: how many pages; 0 for none. */
static size_t held[PAGES_MAX];

static bool range_is_free(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (i >= pages_per_block() || !twin.is_free[i])
			return false;
	}
	return true;
}

/* Whether an aligned block of @order is free, by looking at all of them. */
static bool has_block(unsigned int order)
{
	size_t count = (size_t)1 << order;

	for (size_t first = 0; first < pages_per_block(); first += count) {
		if (range_is_free(first, count))
			return true;
	}
	return false;
}

static size_t count_true(const bool *flags, size_t first, size_t count)
{
	size_t sum = 0;

	for (size_t i = first; i < first + count; i++)
		sum += flags[i];
	return sum;
}

static void set_range(bool *flags, size_t first, size_t count, bool value)
{
	memset(flags + first, value, count);
}

static void count_dirty(size_t first, size_t count, int sign)
{
	block.free_dirty = (uint16_t)(block.free_dirty +
				      sign * (int)pageblock_count_dirty(
						     &block, first, count));
}

static void take(uint64_t *random)
{
	unsigned int order = test_random(random) % (pageblock_order() + 1);
	size_t count = (size_t)1 << order;
	size_t first;

	EXPECT_EQ(block.free_orders >> order != 0, has_block(order));
	if (!(block.free_orders >> order))
		return;
	first = pageblock_take(&block, order);
	EXPECT_EQ(first % count, 0);
	EXPECT(range_is_free(first, count));
	EXPECT_EQ(pageblock_count_dirty(&block, first, count),
		  count_true(twin.is_dirty, first, count));
	count_dirty(first, count, -1);
	set_range(twin.is_free, first, count, false);
	held[first] = count;
}

static void take_range(uint64_t *random)
{
	size_t first = test_random(random) % pages_per_block();
	size_t count = 1 + test_random(random) % 40;
	bool is_possible = range_is_free(first, count);

	EXPECT_EQ(pageblock_take_range(&block, first, count), is_possible);
	if (!is_possible)
		return;
	count_dirty(first, count, -1);
	set_range(twin.is_free, first, count, false);
	held[first] = count;
}

/* Give one back, whole or but for its head: runs shrink from behind. */
static void give(uint64_t *random)
{
	size_t first = test_random(random) % pages_per_block(), keep;

	while (first < pages_per_block() && held[first] == 0)
		first++;
	if (first == pages_per_block())
		return;
	keep = test_random(random) % 2 ? test_random(random) % held[first] : 0;
	if (test_random(random) % 2) {
		pageblock_set_dirty(&block, first, held[first]);
		set_range(twin.is_dirty, first, held[first], true);
	}
	pageblock_free(&block, first + keep, held[first] - keep);
	count_dirty(first + keep, held[first] - keep, 1);
	set_range(twin.is_free, first + keep, held[first] - keep, true);
	held[first] = keep;
}

/* The largest dirty free block is what reclaim asks for. */
static void clean(uint64_t *random)
{
	unsigned int least = test_random(random) % (pageblock_order() + 1);
	size_t count;
	long first = pageblock_find_dirty(&block, least, &count);

	if (first < 0)
		return;
	EXPECT(count >= (size_t)1 << least);
	EXPECT(range_is_free((size_t)first, count));
	EXPECT(count_true(twin.is_dirty, (size_t)first, count) > 0);
	count_dirty((size_t)first, count, -1);
	pageblock_clear_dirty(&block, (size_t)first, count);
	set_range(twin.is_dirty, (size_t)first, count, false);
}

static void compare(void)
{
	pageblock_check(&block);
	EXPECT_EQ(block.free_pages,
		  count_true(twin.is_free, 0, pages_per_block()));
	for (unsigned int order = 0; order <= pageblock_order(); order++)
		EXPECT_EQ(block.free_orders >> order != 0, has_block(order));
}

static void run(unsigned int page_shift, uint64_t seed)
{
	static void (*const operations[])(uint64_t *) = {
		take, take, take_range, give, give, give, clean,
	};
	uint64_t random = seed;

	os_page_size_init(page_shift);
	memset(&block, 0, sizeof(block));
	memset(&twin, 0, sizeof(twin));
	memset(held, 0, sizeof(held));
	pageblock_free(&block, 0, pages_per_block());
	set_range(twin.is_free, 0, pages_per_block(), true);
	for (int step = 0; step < STEPS; step++) {
		operations[test_random(&random) % ARRAY_SIZE(operations)](
			&random);
		compare();
	}
}

TEST(buddy_system_agrees_with_a_plain_bitmap)
{
	for (uint64_t seed = test_seed(); seed < test_seed() + 5; seed++) {
		run(12, seed);
		run(14, seed);
		run(16, seed);
	}
}
