/* SPDX-License-Identifier: MIT */
/* Mappings of their own: alloc, free, resize, the cache, and failures. */
#include <slubmalloc/flags.h>

#include "vma/mapping.h"

#include "test.h"

#define MIB ((size_t)1 << 20)

enum {
	TICK_MS = 250
};

static size_t mapped_at_start;
/* Far ahead of the clock, so that nothing ages but by these tests. */
static uint64_t now_ms = (uint64_t)1 << 60;

/* Wake the layers below, and let them map what they need. */
static void start(void)
{
	const struct page_options options = { .window = (size_t)1 << 30,
					      .cpus = 1 };

	os_page_size_init(0);
	EXPECT(page_init(&options));
	EXPECT(gate_enter(GATE_BRIEFLY));
	vma_free(vma_alloc(MIB, 1, 0));
	vma_trim();
	mapped_at_start = os_mapped_bytes();
	vma_tick_at(now_ms);
}

/* All is well, and nothing is live or kept. */
static void expect_nothing_left(void)
{
	struct vma_stats stats;

	vma_trim();
	vma_check();
	vma_stats(&stats);
	EXPECT_EQ(stats.count, 0);
	EXPECT_EQ(stats.bytes, 0);
	EXPECT_EQ(stats.cached, 0);
	EXPECT_EQ(stats.cached_bytes, 0);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
}

static struct vma_stats stats_now(void)
{
	struct vma_stats stats;

	vma_check();
	vma_stats(&stats);
	return stats;
}

static void *alloc(size_t size)
{
	void *block = vma_alloc(size, 1, 0);

	EXPECT(block);
	return block;
}

static bool is_filled(const unsigned char *bytes, size_t size,
		      unsigned char with)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != with)
			return false;
	}
	return true;
}

static void next_tick(void)
{
	vma_tick_at(now_ms += TICK_MS);
}

TEST(a_mapping_holds_what_was_asked_for_and_less_than_a_page_more)
{
	start();
	for (size_t size = 0; size < 3 * os_page_bytes(); size += 511) {
		unsigned char *block = vma_alloc(size, 1, 0);

		EXPECT(block);
		EXPECT(vma_size(block) >= size);
		EXPECT(vma_size(block) <= size + os_page_bytes());
		memset(block, 0xa5, vma_size(block));
		EXPECT(vma_free(block));
		vma_trim();
	}
	expect_nothing_left();
}

TEST(only_the_start_of_a_live_mapping_is_known)
{
	char *block;

	start();
	block = alloc(2 * MIB);
	EXPECT_EQ(vma_size(block), 2 * MIB);
	EXPECT_EQ(vma_size(block + os_page_bytes()), 0);
	EXPECT_EQ(vma_size(block - 1), 0);
	EXPECT_EQ(vma_size(NULL), 0);
	EXPECT(!vma_free(block + 16));
	EXPECT(!vma_resize(block + 16, MIB, true));
	EXPECT(vma_free(block));
	EXPECT(!vma_free(block));
	EXPECT_EQ(vma_size(block), 0);
	expect_nothing_left();
}

TEST(an_alignment_of_any_power_of_two_leaves_no_slack)
{
	start();
	for (size_t align = 1; align <= 256 * MIB; align *= 2) {
		size_t before = os_mapped_bytes();
		void *block = vma_alloc(3 * MIB, align, 0);

		EXPECT(block);
		EXPECT_EQ((uintptr_t)block & (align - 1), 0);
		EXPECT_EQ(os_mapped_bytes() - before, 3 * MIB);
		memset(block, 1, 3 * MIB);
		EXPECT(vma_free(block));
		vma_trim();
	}
	expect_nothing_left();
}

TEST(sizes_and_alignments_near_the_largest_fail)
{
	static const size_t most[] = {
		SIZE_MAX,     SIZE_MAX - 1,	SIZE_MAX - 4095,
		SIZE_MAX / 2, SIZE_MAX / 2 + 1, PTRDIFF_MAX - 65535,
		SIZE_MAX / 4, (size_t)1 << 62,	(size_t)1 << 48,
	};
	void *block;

	start();
	block = alloc(MIB);
	for (size_t i = 0; i < ARRAY_SIZE(most); i++) {
		for (unsigned int shift = 0; shift < 64; shift++)
			EXPECT(!vma_alloc(most[i], (size_t)1 << shift, 0));
		EXPECT(!vma_alloc(most[i], 1, SM_NOWAIT));
		EXPECT(!vma_resize(block, most[i], true));
		EXPECT(!vma_resize(block, most[i], false));
		EXPECT_EQ(vma_size(block), MIB);
	}
	EXPECT(!vma_alloc(1, (size_t)1 << 63, 0));
	EXPECT(!vma_alloc(1, (size_t)1 << 62, 0));
	EXPECT(vma_free(block));
	expect_nothing_left();
}

TEST(a_mapping_may_be_gigabytes)
{
	unsigned char *block;

	start();
	block = vma_alloc(1024 * MIB + 1, 1, 0);
	if (!block)
		SKIP("the system has no gigabyte");
	block[0] = 1;
	block[1024 * MIB] = 2;
	block = vma_resize(block, 1500 * MIB, true);
	EXPECT(block);
	EXPECT_EQ(block[0], 1);
	EXPECT_EQ(block[1024 * MIB], 2);
	EXPECT(vma_free(block));
	EXPECT_EQ(stats_now().cached, 0);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
}

TEST(a_freed_mapping_is_given_out_again_without_a_system_call)
{
	void *block;
	size_t calls;

	start();
	block = alloc(2 * MIB);
	vma_free(block);
	calls = os_call_count();
	EXPECT_EQ(alloc(2 * MIB - 100), block);
	EXPECT_EQ(os_call_count(), calls);
	EXPECT_EQ(stats_now().hits, 1);
	vma_free(block);
	expect_nothing_left();
}

TEST(the_smallest_that_is_at_most_a_quarter_too_large_is_reused)
{
	void *large, *fit, *small, *block;

	start();
	large = alloc(5 * MIB);
	fit = alloc(9 * MIB / 2);
	small = alloc(3 * MIB);
	vma_free(fit);
	vma_free(large);
	vma_free(small);
	EXPECT_EQ(alloc(4 * MIB), fit);
	EXPECT_EQ(alloc(4 * MIB), large);
	block = alloc(4 * MIB);
	EXPECT(block != small);
	EXPECT_EQ(stats_now().cached, 1);
	vma_free(block);
	vma_free(fit);
	vma_free(large);
	EXPECT((block = alloc(2 * MIB)) != small); /* half too large */
	vma_free(block);
	expect_nothing_left();
}

TEST(a_reused_mapping_has_the_alignment_asked_for)
{
	void *plain, *block;
	size_t align;

	start();
	plain = alloc(4 * MIB);
	align = 2 * lowest_bit((uintptr_t)plain);
	vma_free(plain);
	block = vma_alloc(4 * MIB, align, 0);
	EXPECT(block && block != plain);
	EXPECT_EQ((uintptr_t)block & (align - 1), 0);
	vma_free(block);
	EXPECT_EQ(vma_alloc(4 * MIB, align, 0), block);
	EXPECT_EQ(alloc(4 * MIB), plain);
	vma_free(plain);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_reused_mapping_is_zero_if_asked)
{
	static const size_t sizes[] = { MIB, 16 * MIB, 17 * MIB, 24 * MIB };

	start();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned char *block = alloc(sizes[i]);

		memset(block, 0xff, sizes[i]);
		vma_free(block);
		EXPECT_EQ(vma_alloc(sizes[i], 1, SM_ZERO), block);
		EXPECT(is_filled(block, vma_size(block), 0));
		memset(block, 0xff, sizes[i]);
		vma_free(block);
		EXPECT_EQ(vma_alloc(sizes[i], 1, SM_ZERO | SM_NOWAIT), block);
		EXPECT(is_filled(block, vma_size(block), 0));
		memset(block, 0xff, sizes[i]);
		vma_free(block);
		os_fail_nth(1, 1); /* the discard is refused */
		EXPECT_EQ(vma_alloc(sizes[i], 1, SM_ZERO), block);
		os_fail_nth(0, 0);
		EXPECT(is_filled(block, vma_size(block), 0));
		vma_free(block);
	}
	expect_nothing_left();
}

TEST(without_waiting_only_the_cache_serves_and_no_call_is_made)
{
	void *block;
	size_t calls;

	start();
	block = alloc(24 * MIB);
	memset(block, 1, 24 * MIB);
	calls = os_call_count();
	EXPECT(!vma_alloc(24 * MIB, 1, SM_NOWAIT));
	vma_free(block);
	lock_acquire(&vma_state.lock);
	EXPECT(!vma_alloc(24 * MIB, 1, SM_NOWAIT));
	lock_release(&vma_state.lock);
	EXPECT_EQ(vma_alloc(24 * MIB, 1, SM_NOWAIT | SM_ZERO), block);
	EXPECT_EQ(os_call_count(), calls);
	vma_free(block);
	expect_nothing_left();
}

TEST(the_cache_keeps_few_mappings_and_few_bytes)
{
	enum {
		BLOCKS = 100
	};
	void *blocks[BLOCKS];

	start();
	for (size_t size = os_page_bytes(); size <= MIB; size *= 4) {
		for (int i = 0; i < BLOCKS; i++)
			blocks[i] = alloc(size);
		for (int i = 0; i < BLOCKS; i++) {
			EXPECT(vma_free(blocks[i]));
			EXPECT(stats_now().cached <= 64);
			EXPECT(stats_now().cached_bytes <= 32 * MIB);
		}
		EXPECT(stats_now().cached >= 32);
		expect_nothing_left();
	}
}

TEST(a_mapping_too_large_for_the_cache_leaves_the_others_there)
{
	void *small, *large;

	start();
	small = alloc(MIB);
	large = alloc(33 * MIB);
	vma_free(small);
	vma_free(large);
	EXPECT_EQ(stats_now().cached, 1);
	EXPECT_EQ(alloc(MIB), small);
	vma_free(small);
	expect_nothing_left();
}

TEST(a_large_live_heap_allows_a_larger_cache)
{
	void *live, *large;

	start();
	live = alloc(1024 * MIB);
	large = alloc(64 * MIB);
	vma_free(large);
	EXPECT_EQ(stats_now().cached_bytes, 64 * MIB);
	vma_free(live);
	expect_nothing_left();
}

TEST(an_unused_cache_is_empty_after_some_ticks)
{
	enum {
		BLOCKS = 32,
		TICKS = 40
	};
	void *blocks[BLOCKS];
	size_t before = SIZE_MAX;

	start();
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = alloc(MIB);
	for (int i = 0; i < BLOCKS; i++)
		vma_free(blocks[i]);
	next_tick(); /* all are new to this one */
	EXPECT_EQ(stats_now().cached, BLOCKS);
	next_tick();
	EXPECT_EQ(stats_now().cached, BLOCKS * 3 / 4);
	for (int i = 0; i < TICKS; i++) {
		EXPECT(stats_now().cached_bytes < before);
		before = stats_now().cached_bytes;
		if (before == 0)
			break;
		next_tick();
	}
	EXPECT_EQ(before, 0);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
}

TEST(a_long_pause_empties_the_cache_at_once)
{
	start();
	vma_free(alloc(8 * MIB));
	vma_free(alloc(4 * MIB));
	vma_tick_at(now_ms + 3600 * 1000);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
	expect_nothing_left();
}

TEST(a_tick_takes_the_oldest)
{
	void *old, *young;

	start();
	old = alloc(4 * MIB);
	young = alloc(MIB);
	vma_free(old);
	vma_free(young);
	next_tick();
	next_tick();
	EXPECT_EQ(stats_now().cached, 1);
	EXPECT_EQ(alloc(MIB), young);
	vma_free(young);
	expect_nothing_left();
}

TEST(a_block_in_steady_use_outlives_every_tick)
{
	void *block;

	start();
	block = alloc(2 * MIB);
	for (int i = 0; i < 100; i++) {
		vma_free(block);
		next_tick();
		EXPECT_EQ(alloc(2 * MIB), block);
	}
	EXPECT_EQ(stats_now().hits, 100);
	vma_free(block);
	expect_nothing_left();
}

TEST(trim_tells_how_much_it_gave_back)
{
	start();
	vma_free(alloc(2 * MIB));
	vma_free(alloc(3 * MIB));
	EXPECT_EQ(vma_trim(), 5 * MIB);
	EXPECT_EQ(vma_trim(), 0);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
}

TEST(a_smaller_size_gives_the_tail_back_in_place)
{
	unsigned char *block;

	start();
	block = alloc(8 * MIB);
	memset(block, 7, 8 * MIB);
	EXPECT_EQ(vma_resize(block, 2 * MIB + 1, true), block);
	EXPECT_EQ(vma_size(block), 2 * MIB + os_page_bytes());
	EXPECT_EQ(os_mapped_bytes() - mapped_at_start,
		  2 * MIB + os_page_bytes());
	EXPECT(is_filled(block, 2 * MIB + 1, 7));
	EXPECT_EQ(vma_resize(block, MIB, false), block);
	EXPECT_EQ(vma_size(block), MIB);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_shrink_that_the_system_refuses_leaves_the_block_as_it_was)
{
	void *block;

	start();
	block = alloc(8 * MIB);
	os_fail_nth(1, 1);
	EXPECT_EQ(vma_resize(block, MIB, true), block);
	EXPECT_EQ(vma_size(block), 8 * MIB);
	os_fail_nth(0, 0);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_larger_size_moves_the_bytes)
{
	unsigned char *block, *moved;

	start();
	block = alloc(2 * MIB);
	memset(block, 7, 2 * MIB);
	moved = vma_resize(block, 64 * MIB, true);
	EXPECT(moved);
	EXPECT(vma_size(moved) >= 64 * MIB);
	EXPECT(moved == block || vma_size(block) == 0);
	EXPECT(is_filled(moved, 2 * MIB, 7));
	moved[64 * MIB - 1] = 1;
	vma_free(moved);
	expect_nothing_left();
}

TEST(a_block_that_may_not_move_stays)
{
	void *block, *grown;

	start();
	block = alloc(2 * MIB);
	grown = vma_resize(block, 3 * MIB, false);
	EXPECT(!grown || grown == block); /* there may be room */
	EXPECT_EQ(vma_size(block), grown ? 3 * MIB : 2 * MIB);
	vma_free(block);
	expect_nothing_left();
}

TEST(growing_by_pages_asks_the_system_seldom)
{
	void *block;
	size_t calls, size = MIB;

	start();
	block = alloc(size);
	calls = os_call_count();
	for (; size < 16 * MIB; size += os_page_bytes()) {
		block = vma_resize(block, size, true);
		EXPECT(block);
		EXPECT(vma_size(block) >= size);
		EXPECT(vma_size(block) <= size + size / 8 + os_page_bytes());
	}
	EXPECT(os_call_count() - calls <= 25); /* log of 16 to base 9/8: 23.5 */
	vma_free(block);
	expect_nothing_left();
}

TEST(a_growth_that_fails_leaves_the_block_as_it_was)
{
	unsigned char *block;

	start();
	block = alloc(2 * MIB);
	memset(block, 7, 2 * MIB);
	os_fail_nth(1, SIZE_MAX);
	EXPECT(!vma_resize(block, 3 * MIB, true));
	EXPECT(!vma_resize(block, 3 * MIB, false));
	os_fail_nth(0, 0);
	EXPECT_EQ(vma_size(block), 2 * MIB);
	EXPECT(is_filled(block, 2 * MIB, 7));
	vma_check();
	vma_free(block);
	expect_nothing_left();
}

TEST(when_memory_is_out_the_cache_makes_room)
{
	void *block;

	start();
	vma_free(alloc(2 * MIB));
	os_fail_nth(1, 1);
	block = vma_alloc(16 * MIB, 1, 0);
	os_fail_nth(0, 0);
	EXPECT(block);
	EXPECT_EQ(stats_now().cached, 0);
	vma_free(alloc(2 * MIB));
	os_fail_nth(1, 2); /* with room for more, and without */
	block = vma_resize(block, 17 * MIB, true);
	os_fail_nth(0, 0);
	EXPECT(block);
	EXPECT_EQ(stats_now().cached, 0);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_mapping_that_cannot_be_unmapped_is_emptied_and_kept)
{
	unsigned char *block;

	start();
	block = alloc(8 * MIB);
	memset(block, 0xff, 8 * MIB);
	vma_free(block);
	os_fail_nth(1, 1);
	EXPECT_EQ(vma_trim(), 0);
	os_fail_nth(0, 0);
	EXPECT_EQ(stats_now().cached_bytes, 8 * MIB);
	EXPECT_EQ(vma_alloc(8 * MIB, 1, SM_ZERO | SM_NOWAIT), block);
	EXPECT(is_filled(block, 8 * MIB, 0));
	vma_free(block);
	expect_nothing_left();
}

TEST(a_stranded_mapping_is_tried_again_each_tick)
{
	start();
	vma_free(alloc(2 * MIB));
	os_fail_nth(1, 2); /* neither is it emptied */
	EXPECT_EQ(vma_trim(), 0);
	os_fail_nth(0, 0);
	EXPECT_EQ(stats_now().cached, 1);
	next_tick();
	EXPECT_EQ(stats_now().cached, 0);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
}

/* Whether one that fails to lose its head or tail has kept the tail. */
static bool keeps_tail(size_t size, size_t nth)
{
	bool kept = false;
	void *block;

	os_fail_nth(nth, 1);
	block = vma_alloc(size, 16 * MIB, 0);
	os_fail_nth(0, 0);
	vma_check();
	if (block) {
		kept = vma_size(block) > size;
		EXPECT_EQ((uintptr_t)block % (16 * MIB), 0);
		EXPECT(vma_free(block));
	}
	expect_nothing_left();
	return kept;
}

TEST(a_tail_that_cannot_be_trimmed_stays_a_part_of_the_block)
{
	size_t page, kept = 0;

	start();
	page = os_page_bytes();
	/* Of several sizes, at most one happens to need no trimming. */
	for (size_t size = 2 * MIB; size < 2 * MIB + 4 * page; size += page) {
		for (size_t nth = 1; nth <= 3; nth++)
			kept += keeps_tail(size, nth);
	}
	EXPECT(kept >= 3);
}

/* A life of a few mappings; whatever fails in it, it goes on. */
static void live_through(void)
{
	void *first = vma_alloc(2 * MIB, 8 * MIB, 0);
	void *second = vma_alloc(3 * MIB, 1, SM_ZERO), *third;

	if (first)
		vma_free(first);
	if (second && (third = vma_resize(second, 6 * MIB, true)))
		second = third;
	if (second && (third = vma_resize(second, MIB, true)))
		second = third;
	if (second)
		vma_free(second);
	vma_trim();
}

TEST(no_failure_of_a_system_call_leaks)
{
	start();
	for (size_t count = 1; count <= 4; count++) {
		size_t nth = 0, calls;

		do {
			calls = os_call_count();
			os_fail_nth(++nth, count);
			live_through();
			os_fail_nth(0, 0);
			calls = os_call_count() - calls;
			expect_nothing_left();
		} while (nth <= calls);
		EXPECT(nth > 5);
	}
}

TEST(the_structs_of_unmapped_mappings_are_used_again)
{
	struct page_stats stats;
	size_t before;

	start();
	page_stats(&stats);
	before = stats.used[USE_META];
	for (int i = 0; i < 5000; i++) {
		vma_free(alloc(1));
		vma_trim();
	}
	page_stats(&stats);
	EXPECT_EQ(stats.used[USE_META], before);
	expect_nothing_left();
}

TEST(check_sees_wrong_counters)
{
	start();
	vma_free(alloc(MIB));
	alloc(2 * MIB);
	vma_check();
	vma_state.bytes += os_page_bytes();
	EXPECT_PANIC("bytes == vma->bytes", vma_check());
	vma_state.bytes -= os_page_bytes();
	vma_state.recent.count++;
	EXPECT_PANIC("count == shelf->count", vma_check());
	vma_state.recent.count--;
	vma_state.hits = vma_state.allocs + 1;
	EXPECT_PANIC("hits", vma_check());
}

TEST(check_sees_mappings_that_overlap)
{
	struct mapping mapping = { 0 };
	char *block;

	start();
	block = alloc(2 * MIB);
	mapping.node.key = (uintptr_t)block + MIB;
	mapping.bytes = MIB;
	lock_acquire(&vma_state.lock);
	vma_insert_locked(&mapping);
	lock_release(&vma_state.lock);
	EXPECT_PANIC("node.key >= end", vma_check());
	lock_acquire(&vma_state.lock);
	vma_remove_locked(&mapping);
	list_add_head(&vma_state.recent.mappings, &mapping.shelf);
	lock_release(&vma_state.lock);
	EXPECT_PANIC("mapping->node.key", vma_check());
}
