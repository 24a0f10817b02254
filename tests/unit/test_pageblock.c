/* SPDX-License-Identifier: MIT */
/* Split, merge and ranges of one pageblock, with each size of a page. */
#include "page/pageblock.h"

#include "wake_page.h"

static struct pageblock block;

static void make_free_block(void)
{
	wake_os();
	pageblock_free(&block, 0, pages_per_block());
	pageblock_check(&block);
}

/* All of it is one free block again. */
static void expect_whole(void)
{
	pageblock_check(&block);
	EXPECT_EQ(block.free_pages, pages_per_block());
	EXPECT_EQ(block.free_orders, 1u << pageblock_order());
	EXPECT_EQ(pageblock_largest(&block), pageblock_order());
}

TEST(new_pageblock_has_nothing_free)
{
	wake_os();
	pageblock_check(&block);
	EXPECT_EQ(pageblock_largest(&block), -1);
}

TEST(take_gives_the_lowest_addresses_first)
{
	make_free_block();
	for (unsigned int order = 0; order <= pageblock_order(); order++) {
		size_t count = (size_t)1 << order;

		for (size_t at = 0; at < pages_per_block(); at += count) {
			EXPECT_EQ(pageblock_take(&block, order), at);
			EXPECT_EQ(block.free_pages,
				  pages_per_block() - at - count);
		}
		EXPECT_EQ(pageblock_largest(&block), -1);
		pageblock_check(&block);
		for (size_t at = 0; at < pages_per_block(); at += count)
			pageblock_free(&block, at, count);
		expect_whole();
	}
}

TEST(take_splits_the_smallest_block_that_suffices)
{
	make_free_block();
	EXPECT_EQ(pageblock_take(&block, 0), 0); /* leaves one of each order */
	for (unsigned int order = 0; order < pageblock_order(); order++) {
		EXPECT_EQ(pageblock_take(&block, order), (size_t)1 << order);
		pageblock_check(&block);
	}
	EXPECT_EQ(block.free_pages, 0);
}

static void shuffle(size_t *numbers, size_t count, uint64_t *random)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = test_random(random) % i, kept = numbers[i - 1];

		numbers[i - 1] = numbers[j];
		numbers[j] = kept;
	}
}

TEST(frees_in_any_order_merge_back_into_one_block)
{
	size_t pages[1 << PAGE_ORDER_MAX];
	uint64_t random = test_seed();

	make_free_block();
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < pages_per_block(); i++)
			pages[i] = pageblock_take(&block, 0);
		shuffle(pages, pages_per_block(), &random);
		for (size_t i = 0; i < pages_per_block(); i++) {
			pageblock_free(&block, pages[i], 1);
			EXPECT_EQ(block.free_pages, i + 1);
		}
		expect_whole();
	}
}

TEST(no_merge_without_both_buddies)
{
	make_free_block();
	pageblock_take_range(&block, 0, pages_per_block());
	for (size_t page = 1; page < pages_per_block(); page += 2)
		pageblock_free(&block, page, 1);
	EXPECT_EQ(block.free_orders, 1);
	/* Neighbours that are no buddies don't merge, either. */
	pageblock_free(&block, 2, 1);
	EXPECT_EQ(block.free_orders, 3);
	pageblock_check(&block);
}

/* Every range of a pageblock of 64 KiB pages; of small pages, a sample. */
static void take_every_range(void)
{
	size_t pages = pages_per_block();
	size_t step = pages <= 32 ? 1 : pages / 32 - 1;

	for (size_t first = 0; first < pages; first += step) {
		for (size_t count = 1; first + count <= pages; count += step) {
			EXPECT(pageblock_take_range(&block, first, count));
			pageblock_check(&block);
			EXPECT_EQ(block.free_pages, pages - count);
			pageblock_free(&block, first, count);
			expect_whole();
		}
	}
}

TEST(every_range_can_be_taken_and_given_back)
{
	make_free_block();
	take_every_range();
	os_page_size_init(PAGE_SHIFT_MAX);
	memset(&block, 0, sizeof(block));
	pageblock_free(&block, 0, pages_per_block());
	take_every_range();
}

TEST(range_with_a_used_page_is_refused_whole)
{
	struct pageblock before;
	size_t pages;

	make_free_block();
	pages = pages_per_block();
	for (size_t used = 0; used < pages; used += 7) {
		EXPECT(pageblock_take_range(&block, used, 1));
		before = block;
		for (size_t first = 0; first <= used; first += 3)
			EXPECT(!pageblock_take_range(&block, first,
						     used - first + 1));
		EXPECT(!pageblock_take_range(&block, used, pages - used));
		EXPECT_EQ(memcmp(&before, &block, sizeof(block)), 0);
		pageblock_free(&block, used, 1);
	}
	EXPECT(!pageblock_take_range(&block, 1, pages));
	expect_whole();
}

TEST(dirty_pages_are_those_that_were_set_and_not_cleared)
{
	bool twin[1 << PAGE_ORDER_MAX] = { false };
	uint64_t random = test_seed();

	wake_os();
	for (int round = 0; round < 2000; round++) {
		size_t first = test_random(&random) % pages_per_block();
		size_t count =
			test_random(&random) % (pages_per_block() - first + 1);
		bool set = test_random(&random) % 2;
		size_t sum = 0;

		(set ? pageblock_set_dirty
		     : pageblock_clear_dirty)(&block, first, count);
		memset(twin + first, set, count);
		first = test_random(&random) % pages_per_block();
		for (size_t i = first; i < pages_per_block(); i++)
			sum += twin[i];
		EXPECT_EQ(pageblock_count_dirty(&block, first,
						pages_per_block() - first),
			  sum);
	}
}

static void make_dirty(size_t first, size_t count, uint16_t free_dirty)
{
	pageblock_set_dirty(&block, first, count);
	block.free_dirty = free_dirty;
	pageblock_check(&block);
}

TEST(largest_dirty_free_block_is_found)
{
	size_t eighth, count = 0;

	make_free_block();
	eighth = pages_per_block() / 8;
	/* used | free | free .. | used, used, used | free */
	pageblock_take_range(&block, 0, pages_per_block());
	pageblock_free(&block, eighth, eighth);
	pageblock_free(&block, 2 * eighth, 2 * eighth);
	pageblock_free(&block, 7 * eighth, eighth);
	EXPECT_EQ(pageblock_find_dirty(&block, 0, &count), -1);
	make_dirty(0, 1, 0); /* a used page */
	EXPECT_EQ(pageblock_find_dirty(&block, 0, &count), -1);
	make_dirty(pages_per_block() - 1, 1, 1);
	EXPECT_EQ(pageblock_find_dirty(&block, 0, &count), 7 * eighth);
	EXPECT_EQ(count, eighth);
	make_dirty(4 * eighth - 1, 2, 2);
	EXPECT_EQ(pageblock_find_dirty(&block, 0, &count), 2 * eighth);
	EXPECT_EQ(count, 2 * eighth);
	EXPECT_EQ(pageblock_find_dirty(&block, pageblock_order() - 2, &count),
		  2 * eighth);
	EXPECT_EQ(pageblock_find_dirty(&block, pageblock_order() - 1, &count),
		  -1);
}

TEST(free_blocks_are_counted_by_order)
{
	size_t counts[PAGE_ORDER_MAX + 1] = { 0 };

	make_free_block();
	pageblock_take(&block, 0);
	pageblock_count_free(&block, counts);
	for (unsigned int order = 0; order < pageblock_order(); order++)
		EXPECT_EQ(counts[order], 1);
	EXPECT_EQ(counts[pageblock_order()], 0);
}

static void break_and_check(void (*damage)(void))
{
	damage();
	pageblock_check(&block);
}

static void free_a_child(void)
{
	block.tree[0] |= 4;
}

static void free_both_halves(void)
{
	block.tree[0] ^= 14; /* nodes 2 and 3 in place of 1 */
}

static void miscount(void)
{
	block.free_pages--;
}

static void misjudge_orders(void)
{
	block.free_orders |= 1;
}

static void miscount_dirty(void)
{
	block.free_dirty++;
}

TEST(check_sees_every_kind_of_damage)
{
	make_free_block();
	EXPECT_PANIC("broken", break_and_check(free_a_child));
	EXPECT_PANIC("broken", break_and_check(free_both_halves));
	EXPECT_PANIC("broken", break_and_check(miscount));
	EXPECT_PANIC("broken", break_and_check(misjudge_orders));
	EXPECT_PANIC("broken", break_and_check(miscount_dirty));
}
