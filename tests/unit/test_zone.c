/* SPDX-License-Identifier: MIT */
/* Zones: which pages a request gets, what is known of them, and what becomes of
 * them when they are free. */
#include "page/zone.h"

#include <slubmalloc/flags.h>

#include "wake_page.h"

static struct page_stats stats;

static const struct page_stats *read_stats(void)
{
	page_check();
	page_stats(&stats);
	return &stats;
}

/* Those in the per-CPU lists are not. */
static size_t pages_in_use(void)
{
	size_t sum = 0;

	pages_trim(SIZE_MAX);
	read_stats();
	for (int use = 0; use < USE_COUNT; use++)
		sum += stats.used[use];
	return sum;
}

static char *take_run(size_t count)
{
	return pages_alloc(count, 1, USE_RUN, 0, NULL);
}

static struct pageblock *block_of(const char *run)
{
	struct zone *zone = zone_of(run);

	return zone_block(zone,
			  (size_t)(run - zone->heap.start) >> os_page_shift);
}

/* A run of at least 64 pages would be kept by no per-CPU list. */
static size_t big_count(void)
{
	return pages_per_block() / 2;
}

TEST(page_finds_its_descriptor_and_back)
{
	char *run;

	wake_pages(256 * MIB);
	run = take_run(3);
	EXPECT_EQ(page_find(run)->type, PAGE_RUN);
	EXPECT_EQ(page_find(run)->count, 3);
	EXPECT_EQ(page_start(page_find(run)), run);
	EXPECT_EQ(page_find(run + os_page_bytes() + 1), page_find(run) + 1);
	EXPECT_EQ(page_find(&run), NULL);
	EXPECT_EQ(page_find(NULL), NULL);
	EXPECT_EQ(page_find((void *)UINTPTR_MAX), NULL);
	EXPECT_EQ(zone_at(0)->heap.start, page_window.start);
	EXPECT_EQ(page_find(zone_at(0)->heap.start + zone_at(0)->heap.brk),
		  NULL);
	EXPECT_EQ(page_window.granules, zone_at(0)->heap.brk / 16);
}

TEST(window_starts_at_a_pageblock)
{
	wake_pages(256 * MIB);
	EXPECT_EQ(page_window.start % ((size_t)1 << PAGEBLOCK_SHIFT), 0);
}

TEST(class_of_a_frame_is_what_was_set)
{
	char *run;

	wake_pages(256 * MIB);
	run = take_run(3);
	EXPECT_EQ(page_class(run), 0);
	page_set_class(run, 2, 77);
	EXPECT_EQ(page_class(run), 77);
	EXPECT_EQ(page_class(run + 2 * os_page_bytes() - 1), 77);
	EXPECT_EQ(page_class(run + 2 * os_page_bytes()), 0);
	page_set_class(run, 2, 0);
	EXPECT_EQ(page_class(run), 0);
	EXPECT_EQ(page_class(&run), 0);
}

TEST(exact_run_gives_its_tail_back)
{
	size_t before;

	wake_pages(256 * MIB);
	before = pages_in_use();
	for (size_t count = 1; count <= pages_per_block(); count++) {
		char *run = take_run(count);

		EXPECT_EQ(pages_in_use(), before + count);
		memset(run, 1, count << os_page_shift);
		pages_free(run);
	}
	EXPECT_EQ(pages_in_use(), before);
}

TEST(runs_lie_at_multiples_of_their_alignment)
{
	char *runs[3 * (PAGE_ORDER_MAX + 1)];
	size_t taken = 0;

	wake_pages(256 * MIB);
	for (size_t align = 1; align <= pages_per_block(); align *= 2) {
		const size_t counts[] = { 1, align, pages_per_block() / 2 + 1 };

		for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
			char *run =
				pages_alloc(counts[i], align, USE_RUN, 0, NULL);

			EXPECT(run);
			EXPECT_EQ((uintptr_t)run % (align << os_page_shift), 0);
			runs[taken++] = run;
		}
	}
	page_check();
	while (taken > 0)
		pages_free(runs[--taken]);
	page_check();
}

/* From now on every free page is one that the test frees. */
static void use_up_what_is_free(void)
{
	while (pages_alloc(1, 1, USE_RUN, SM_NOWAIT, NULL))
		continue;
}

TEST(fullest_pageblock_is_taken_from_first)
{
	for (int which = 0; which < 2; which++) {
		char *runs[2], *run;
		size_t half;

		if (which == 0)
			wake_pages(256 * MIB);
		half = pages_per_block() / 2;
		runs[0] = take_run(pages_per_block());
		runs[1] = take_run(pages_per_block());
		use_up_what_is_free();
		/* The largest free block of both is a half. */
		EXPECT(pages_resize(runs[which], half));
		EXPECT(pages_resize(runs[!which], half / 2));
		run = pages_alloc(half, half, USE_RUN, SM_NOWAIT, NULL);
		EXPECT_EQ(block_of(run), block_of(runs[which]));
		run = pages_alloc(half, half, USE_RUN, SM_NOWAIT, NULL);
		EXPECT_EQ(block_of(run), block_of(runs[!which]));
		use_up_what_is_free();
	}
}

TEST(small_request_leaves_large_free_blocks_alone)
{
	char *used, *run;

	wake_pages(256 * MIB);
	used = take_run(pages_per_block());
	run = take_run(big_count() + 1); /* leaves less than a half */
	for (size_t i = 0; i + big_count() + 1 < pages_per_block(); i++)
		EXPECT_EQ(block_of(take_run(1)), block_of(run));
	pages_free(used);
	page_check();
}

/* Alternately one page of each use; how many pageblocks hold both. */
static size_t count_mixed(size_t rounds)
{
	bool has_run[64] = { false }, has_slab[64] = { false };
	size_t mixed = 0, block;

	for (size_t i = 0; i < rounds; i++) {
		char *run = take_run(1);
		char *slab = pages_alloc(1, 1, USE_SLAB, 0, NULL);

		block = zone_block_index(zone_at(0), block_of(run));
		EXPECT(block < 64);
		has_run[block] = true;
		block = zone_block_index(zone_at(0), block_of(slab));
		EXPECT(block < 64);
		has_slab[block] = true;
	}
	for (size_t i = 0; i < 64; i++)
		mixed += has_run[i] && has_slab[i];
	return mixed;
}

TEST(small_heap_shares_pageblocks_between_uses)
{
	wake_pages(256 * MIB);
	EXPECT_EQ(count_mixed(4), 1);
}

TEST(large_heap_keeps_the_uses_apart)
{
	wake_pages(256 * MIB);
	for (int i = 0; i < 8; i++)
		take_run(pages_per_block());
	/* The pageblocks from before may stay mixed: at most one of them. */
	EXPECT(count_mixed(8 * pages_per_block()) <= 1);
}

TEST(fresh_memory_is_known_to_be_zero_and_is)
{
	bool is_zero = false;
	char *run;

	wake_pages(256 * MIB);
	run = pages_alloc(big_count(), 1, USE_RUN, 0, &is_zero);
	EXPECT(is_zero);
	EXPECT(is_filled(run, big_count() << os_page_shift, 0));
}

TEST(freed_memory_is_not_known_to_be_zero)
{
	size_t count;
	bool is_zero = true;
	char *run, *again;

	wake_pages(256 * MIB);
	count = pages_per_block();
	run = take_run(count);
	pages_free(run);
	EXPECT_EQ(read_stats()->free_dirty, count);
	again = pages_alloc(count, 1, USE_RUN, 0, &is_zero);
	EXPECT_EQ(again, run);
	EXPECT(!is_zero);
	EXPECT_EQ(read_stats()->free_dirty, 0);
}

TEST(tail_that_was_never_handed_out_stays_known_zero)
{
	size_t half;
	char *run, *tail;
	bool is_zero = false;

	wake_pages(256 * MIB);
	half = pages_per_block() / 2;
	run = take_run(half + 1);
	memset(run, 0xa5, (half + 1) << os_page_shift);
	tail = pages_alloc(half / 2, half / 2, USE_RUN, 0, &is_zero);
	EXPECT_EQ(block_of(tail), block_of(run));
	EXPECT(is_zero);
	EXPECT(is_filled(tail, half / 2 << os_page_shift, 0));
}

TEST(returned_memory_is_known_to_be_zero_again_and_is)
{
	size_t count, bytes;
	bool is_zero = false;
	char *run, *keeper;

	wake_pages(256 * MIB);
	count = pages_per_block();
	bytes = count << os_page_shift;
	run = take_run(count);
	keeper = take_run(count); /* so that the zone can't shrink away */
	use_up_what_is_free();
	memset(run, 0xa5, bytes);
	memset(keeper, 0x5a, bytes);
	pages_free(run);
	EXPECT_EQ(pages_trim(0), bytes);
	EXPECT_EQ(read_stats()->free_dirty, 0);
	EXPECT_EQ(stats.returned_bytes, bytes);
	EXPECT_EQ(pages_alloc(count, count, USE_RUN, 0, &is_zero), run);
	EXPECT(is_zero);
	EXPECT(is_filled(run, bytes, 0));
	EXPECT(is_filled(keeper, bytes, 0x5a));
}

TEST(memory_that_the_system_refuses_to_take_stays_dirty)
{
	bool is_zero = true;
	char *run;

	wake_pages(256 * MIB);
	run = take_run(pages_per_block());
	memset(run, 0xa5, 100);
	pages_free(run);
	os_fail_nth(1, SIZE_MAX);
	EXPECT_EQ(pages_trim(0), 0);
	os_fail_nth(0, 0);
	EXPECT_EQ(read_stats()->free_dirty, pages_per_block());
	EXPECT_EQ(stats.returned_bytes, 0);
	run = pages_alloc(pages_per_block(), 1, USE_RUN, 0, &is_zero);
	EXPECT(!is_zero);
}

static void take_and_free_blocks(size_t blocks)
{
	char *runs[64];

	for (size_t i = 0; i < blocks; i++) {
		runs[i] = take_run(pages_per_block());
		EXPECT(runs[i]);
	}
	for (size_t i = 0; i < blocks; i++)
		pages_free(runs[i]);
}

/* Let so many milliseconds pass for the pages, in ticks. */
static bool let_pass(unsigned int ms)
{
	static uint64_t now = 1000000;
	bool is_waiting = false;

	for (unsigned int i = 0; i < ms; i += 50)
		is_waiting = pages_tick(now += 50);
	return is_waiting;
}

TEST(free_memory_goes_back_once_it_was_out_of_use_for_long)
{
	wake_pages(256 * MIB);
	pages_set_retain(8 * MIB);
	let_pass(50);
	take_and_free_blocks(32);
	EXPECT_EQ(read_stats()->watermarks[WATERMARK_HIGH],
		  32 * pages_per_block());
	EXPECT(let_pass(450));
	EXPECT_EQ(read_stats()->returned_bytes, 0);
	EXPECT(!let_pass(1500));
	EXPECT_EQ(read_stats()->watermarks[WATERMARK_HIGH],
		  8 * MIB >> os_page_shift);
	EXPECT(stats.free_dirty <= stats.watermarks[WATERMARK_HIGH]);
	EXPECT(stats.free_dirty >= stats.watermarks[WATERMARK_LOW]);
	EXPECT(stats.returned_bytes >= 48 * MIB);
	page_check();
}

TEST(memory_in_use_now_and_then_stays)
{
	wake_pages(256 * MIB);
	pages_set_retain(0);
	let_pass(50);
	for (int i = 0; i < 20; i++) {
		take_and_free_blocks(16);
		EXPECT(let_pass(250));
	}
	EXPECT_EQ(read_stats()->returned_bytes, 0);
}

TEST(a_long_pause_makes_all_that_is_free_surplus)
{
	wake_pages(256 * MIB);
	pages_set_retain(0);
	let_pass(50);
	take_and_free_blocks(4);
	let_pass(50);
	EXPECT_EQ(read_stats()->returned_bytes, 0);
	pages_tick(UINT64_MAX / 2);
	EXPECT(read_stats()->returned_bytes > 0);
}

TEST(free_memory_below_the_watermark_is_kept)
{
	wake_pages(256 * MIB);
	pages_set_retain(64 * MIB);
	take_and_free_blocks(16);
	EXPECT(!let_pass(3000));
	EXPECT_EQ(read_stats()->returned_bytes, 0);
	EXPECT_EQ(stats.free_dirty, 16 * pages_per_block());
}

TEST(trim_keeps_what_it_is_told_to)
{
	wake_pages(256 * MIB);
	take_and_free_blocks(16);
	EXPECT_EQ(pages_trim(8 * MIB), 24 * MIB);
	EXPECT_EQ(read_stats()->free_dirty, 8 * MIB >> os_page_shift);
	EXPECT_EQ(pages_trim(8 * MIB), 0);
}

TEST(no_more_of_a_piece_goes_back_than_has_to)
{
	size_t kept;

	wake_pages(256 * MIB);
	take_and_free_blocks(2);
	kept = 2 * pages_per_block() - pages_per_block() / 32;
	pages_trim(kept << os_page_shift);
	EXPECT_EQ(read_stats()->free_dirty, kept);
	page_check();
}

/* The tail of the piece is clean: to give that back would never end. */
TEST(the_dirty_part_of_a_piece_goes_back)
{
	wake_pages(256 * MIB);
	pages_free(take_run(8));
	pages_trim(SIZE_MAX); /* out of the per-CPU list */
	EXPECT_EQ(read_stats()->free_dirty, 8);
	pages_trim(6 * os_page_bytes());
	EXPECT_EQ(read_stats()->free_dirty, 6);
	pages_trim(0);
	EXPECT_EQ(read_stats()->free_dirty, 0);
	page_check();
}

TEST(empty_top_of_the_zone_is_uncommitted)
{
	size_t committed;

	wake_pages(256 * MIB);
	take_and_free_blocks(16);
	committed = read_stats()->committed_bytes;
	EXPECT(committed >= 32 * MIB);
	pages_trim(0);
	EXPECT(read_stats()->committed_bytes <= 2u << PAGEBLOCK_SHIFT);
	EXPECT_EQ(page_window.granules, zone_at(0)->heap.brk / 16);
	take_and_free_blocks(16);
	page_check();
}

TEST(refused_shrink_leaves_the_zone_as_it_was)
{
	size_t committed;

	wake_pages(256 * MIB);
	take_and_free_blocks(16);
	committed = read_stats()->committed_bytes;
	os_fail_nth(1, SIZE_MAX);
	EXPECT_EQ(zone_shrink(zone_at(0), false), 0);
	os_fail_nth(0, 0);
	EXPECT_EQ(read_stats()->committed_bytes, committed);
	EXPECT_EQ(stats.free_dirty, 16 * pages_per_block());
	EXPECT_EQ(page_window.granules, committed / 16);
	take_and_free_blocks(16);
	EXPECT_EQ(read_stats()->committed_bytes, committed);
}

TEST(addresses_above_the_break_can_be_given_back)
{
	size_t reserved;
	char *run;

	wake_pages(256 * MIB);
	run = take_run(1);
	reserved = read_stats()->reserved_bytes;
	EXPECT(pages_give_back_addresses() > reserved / 2);
	EXPECT_EQ(read_stats()->reserved_bytes, stats.committed_bytes);
	EXPECT_EQ(page_find(run)->type, PAGE_RUN);
	/* What is needed from now on comes from further zones. */
	for (int i = 0; i < 8; i++)
		EXPECT(take_run(pages_per_block()));
	EXPECT(read_stats()->zones > 1);
}

TEST(second_zone_comes_when_the_first_is_full)
{
	char *runs[64], *small;
	size_t taken = 0;

	wake_pages(WINDOW_MIN);
	small = take_run(1);
	while (zone_count() < 3) {
		EXPECT(taken < ARRAY_SIZE(runs));
		runs[taken] = take_run(pages_per_block());
		EXPECT(runs[taken]);
		memset(runs[taken++], 0xa5, pages_per_block() << os_page_shift);
	}
	EXPECT_EQ(read_stats()->zones, 3);
	EXPECT(stats.reserved_bytes > 2 * stats.committed_bytes / 3);
	for (size_t i = 0; i < taken; i++) {
		EXPECT_EQ(page_start(page_find(runs[i])), runs[i]);
		EXPECT(is_filled(runs[i], pages_per_block() << os_page_shift,
				 0xa5));
		page_set_class(runs[i], 1, 9);
		EXPECT_EQ(page_class(runs[i]), 9);
		page_set_class(runs[i], 1, 0);
		pages_free(runs[i]);
	}
	pages_free(small);
	EXPECT(pages_trim(0) > 0);
	EXPECT_EQ(read_stats()->free_dirty, 0);
}

TEST(nowait_makes_no_system_call)
{
	size_t calls, taken = 0;

	wake_pages(256 * MIB);
	pages_free(take_run(pages_per_block()));
	calls = os_call_count();
	while (pages_alloc(1, 1, USE_RUN, SM_NOWAIT, NULL))
		taken++;
	EXPECT(taken >= pages_per_block());
	EXPECT_EQ(os_call_count(), calls);
	EXPECT(take_run(1)); /* that may grow the zone */
	EXPECT(os_call_count() > calls);
	page_check();
}

TEST(nowait_refuses_what_somebody_else_holds)
{
	bool is_zero;

	wake_pages(256 * MIB);
	lock_acquire(&zone_at(0)->lock);
	EXPECT_EQ(zone_take(zone_at(0), 1, 1, USE_RUN, SM_NOWAIT, &is_zero),
		  -1);
	lock_release(&zone_at(0)->lock);
	EXPECT(zone_take(zone_at(0), 1, 1, USE_RUN, SM_NOWAIT, &is_zero) >= 0);
}

TEST(reserve_is_at_hand_for_nowait)
{
	wake_pages(256 * MIB);
	for (int i = 0; i < 100; i++) {
		EXPECT(take_run(7));
		EXPECT(read_stats()->free >= stats.watermarks[WATERMARK_MIN]);
	}
}

TEST(run_shrinks_and_grows_in_place)
{
	char *run;
	size_t count, before;

	wake_pages(256 * MIB);
	before = pages_in_use();
	count = big_count();
	run = pages_alloc(count, 2 * count, USE_RUN, 0, NULL);
	memset(run, 0xa5, count << os_page_shift);
	EXPECT(pages_resize(run, count / 2));
	EXPECT_EQ(page_find(run)->count, count / 2);
	EXPECT_EQ(pages_in_use(), before + count / 2);
	EXPECT(pages_resize(run, 2 * count));
	EXPECT_EQ(pages_in_use(), before + 2 * count);
	EXPECT(is_filled(run, count / 2 << os_page_shift, 0xa5));
	memset(run, 0x5a, 2 * count << os_page_shift);
	EXPECT(!pages_resize(run, 2 * count + 1));
	EXPECT(pages_resize(run, 1));
	pages_free(run);
	EXPECT_EQ(pages_in_use(), before);
}

TEST(run_does_not_grow_over_a_neighbour)
{
	char *run, *neighbour;
	size_t before;

	wake_pages(256 * MIB);
	run = pages_alloc(2, 2, USE_RUN, 0, NULL);
	neighbour = run + 2 * os_page_bytes();
	while (pages_alloc(1, 1, USE_RUN, 0, NULL) != neighbour)
		continue;
	before = pages_in_use();
	EXPECT(!pages_resize(run, 3));
	EXPECT_EQ(page_find(run)->count, 2);
	EXPECT_EQ(pages_in_use(), before);
}

TEST(run_does_not_grow_into_the_next_pageblock)
{
	char *first, *run;
	size_t half;

	wake_pages(256 * MIB);
	half = pages_per_block() / 2;
	first = take_run(pages_per_block());
	pages_free(take_run(pages_per_block())); /* the one behind is free */
	pages_free(first);
	first = pages_alloc(half, half, USE_RUN, 0, NULL);
	run = pages_alloc(half, half, USE_RUN, 0, NULL);
	EXPECT_EQ(run, first + (half << os_page_shift));
	EXPECT(!pages_resize(run, half + 1));
	pages_free(run);
	pages_free(first);
	page_check();
}

TEST(resized_run_is_dirty_when_it_is_freed)
{
	char *run;
	size_t count;

	wake_pages(256 * MIB);
	count = big_count();
	run = pages_alloc(1, count * 2, USE_RUN, 0, NULL);
	EXPECT(pages_resize(run, count));
	pages_free(run);
	pages_trim(SIZE_MAX);
	EXPECT_EQ(read_stats()->free_dirty, count);
	pages_trim(0);
	EXPECT_EQ(read_stats()->free_dirty, 0);
}

TEST(statistics_add_up)
{
	char *run, *slab;

	wake_pages(256 * MIB);
	run = take_run(5);
	slab = pages_alloc(4, 4, USE_SLAB, 0, NULL);
	read_stats();
	EXPECT_EQ(stats.used[USE_RUN], 5);
	EXPECT_EQ(stats.used[USE_SLAB], 4);
	EXPECT_EQ(stats.run_allocs, 1);
	EXPECT_EQ(stats.run_frees, 0);
	EXPECT_EQ(stats.free + stats.used[USE_RUN] + stats.used[USE_SLAB] +
			  stats.used[USE_META],
		  stats.committed_bytes >> os_page_shift);
	pages_free(run);
	pages_free(slab);
	read_stats();
	EXPECT_EQ(stats.run_frees, 1);
	EXPECT_EQ(stats.cached, 9);
	EXPECT_EQ(stats.used[USE_RUN] + stats.used[USE_SLAB], 9);
}

static bool live_a_little(void)
{
	char *runs[24];
	bool ok = true;

	for (int i = 0; i < 24; i++) {
		bool is_zero;

		runs[i] = pages_alloc(i % 3 ? pages_per_block() : (size_t)i + 1,
				      1, USE_RUN, 0, &is_zero);
		ok &= runs[i] != NULL;
		if (runs[i])
			runs[i][0] = 1;
	}
	page_check();
	for (int i = 0; i < 24; i++) {
		if (runs[i])
			pages_free(runs[i]);
	}
	page_check();
	pages_trim(0);
	page_check();
	return ok;
}

static void live_and_recover(void)
{
	live_a_little();
	os_fail_nth(0, 0);
	EXPECT(live_a_little());
	EXPECT_EQ(pages_in_use(), read_stats()->used[USE_META]);
}

TEST(any_system_call_may_fail_and_nothing_is_lost)
{
	wake_pages(WINDOW_MIN);
	fail_each_call(live_and_recover);
}

static void init_failing(void)
{
	const struct page_options options = { .window = WINDOW_MIN,
					      .cpus = os_cpu_limit() };

	if (!page_init(&options)) {
		os_fail_nth(0, 0);
		EXPECT(page_init(&options));
	}
	os_fail_nth(0, 0);
	EXPECT(live_a_little());
}

TEST(start_may_fail_and_be_tried_again)
{
	wake_os();
	fail_each_call(init_failing);
}

static void break_and_check(void (*damage)(struct zone *zone))
{
	damage(zone_at(0));
	page_check();
}

static void miscount_free(struct zone *zone)
{
	zone->free++;
}

static void miscount_dirty(struct zone *zone)
{
	zone->free_dirty++;
}

static void miscount_used(struct zone *zone)
{
	zone->used[USE_RUN]++;
}

static void forget_a_list(struct zone *zone)
{
	memset(zone->nonempty, 0, sizeof(zone->nonempty));
}

static void misjudge_use(struct zone *zone)
{
	zone_block(zone, 0)->use = NO_USE;
}

TEST(check_sees_every_kind_of_damage)
{
	wake_pages(256 * MIB);
	take_run(1);
	page_check();
	EXPECT_PANIC("broken", break_and_check(miscount_free));
	EXPECT_PANIC("broken", break_and_check(miscount_dirty));
	EXPECT_PANIC("broken", break_and_check(miscount_used));
	EXPECT_PANIC("broken", break_and_check(forget_a_list));
	EXPECT_PANIC("broken", break_and_check(misjudge_use));
}
