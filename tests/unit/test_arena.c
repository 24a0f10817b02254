/* SPDX-License-Identifier: MIT */
/* Address space that is reserved, refused, cut, grown and shrunk. */
#include "arena/arena.h"

#include "wake_page.h"

static struct arena arena;

TEST(reserves_all_that_was_asked_for)
{
	wake_os();
	EXPECT_EQ(arena_reserve(&arena, 64 * MIB, MIB), 64 * MIB);
	EXPECT_EQ(arena.reserved, 64 * MIB);
	EXPECT_EQ(arena.brk, 0);
	EXPECT_EQ((uintptr_t)arena.start % os_page_bytes(), 0);
}

TEST(refusals_halve_the_request_down_to_the_least)
{
	size_t before = 64 * MIB, refusals = 0, bytes = before;

	wake_os();
	while (bytes > 0) {
		os_fail_nth(1, ++refusals);
		bytes = arena_reserve(&arena, 64 * MIB, 4 * MIB);
		os_fail_nth(0, 0);
		EXPECT(bytes <= before && (bytes == 0 || bytes >= 4 * MIB));
		EXPECT(bytes == 0 || is_power_of_two(bytes));
		EXPECT_EQ(arena.reserved * (bytes > 0), bytes);
		before = bytes;
	}
	EXPECT(refusals >= 5 && refusals <= 6);
}

static size_t address_space_in_use(void)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	EXPECT(file && fscanf(file, "%zu", &pages) == 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

TEST(under_a_limit_it_asks_for_no_more_than_a_quarter)
{
	size_t limit = address_space_in_use() + (size_t)256 * MIB, got;
	const struct rlimit rlimit = { limit, limit };

	if (limit > (size_t)1 << 40)
		SKIP("a sanitizer's shadow fills the address space");
	wake_os();
	EXPECT_EQ(setrlimit(RLIMIT_AS, &rlimit), 0);
	got = arena_reserve(&arena, (size_t)1 << 40, MIB);
	EXPECT(got > 0 && got <= limit / 4);
	EXPECT(got > limit / 8);
}

TEST(break_moves_up_in_steps_and_exactly_at_the_end)
{
	size_t page;

	wake_os();
	page = os_page_bytes();
	arena_reserve(&arena, 16 * MIB, MIB);
	EXPECT(arena_grow(&arena, 1, MIB));
	EXPECT_EQ(arena.brk, MIB);
	EXPECT(arena_grow(&arena, MIB, MIB)); /* has it already */
	EXPECT_EQ(arena.brk, MIB);
	EXPECT(arena_grow(&arena, MIB + 1, MIB));
	EXPECT_EQ(arena.brk, 2 * MIB);
	EXPECT(arena_grow(&arena, 15 * MIB + page, 32 * MIB));
	EXPECT_EQ(arena.brk, 16 * MIB);
	EXPECT(!arena_grow(&arena, 16 * MIB + 1, page));
	EXPECT(!arena_grow(&arena, SIZE_MAX, page));
	EXPECT_EQ(arena.brk, 16 * MIB);
	memset(arena.start, 1, arena.brk);
}

TEST(growth_takes_less_where_memory_is_short)
{
	size_t page;

	wake_os();
	page = os_page_bytes();
	arena_reserve(&arena, 16 * MIB, MIB);
	os_fail_nth(1, 1);
	EXPECT(arena_grow(&arena, page, 4 * MIB));
	EXPECT_EQ(arena.brk, page);
	os_fail_nth(1, 2);
	EXPECT(!arena_grow(&arena, 2 * page, 4 * MIB));
	EXPECT_EQ(arena.brk, page);
	os_fail_nth(0, 0);
	EXPECT(arena_grow(&arena, 2 * page, 4 * MIB));
	EXPECT_EQ(arena.brk, 4 * MIB);
}

TEST(what_was_shrunk_reads_as_zero_when_grown_again)
{
	wake_os();
	arena_reserve(&arena, 16 * MIB, MIB);
	EXPECT(arena_grow(&arena, 4 * MIB, MIB));
	EXPECT(is_filled(arena.start, 4 * MIB, 0));
	memset(arena.start, 0xa5, 4 * MIB);
	EXPECT(arena_shrink(&arena, MIB - 1));
	EXPECT_EQ(arena.brk, MIB);
	EXPECT(arena_shrink(&arena, 2 * MIB)); /* no way up */
	EXPECT_EQ(arena.brk, MIB);
	EXPECT(arena_grow(&arena, 4 * MIB, MIB));
	EXPECT(is_filled(arena.start, MIB, 0xa5));
	EXPECT(is_filled(arena.start + MIB, 3 * MIB, 0));
}

TEST(refused_shrink_changes_nothing)
{
	wake_os();
	arena_reserve(&arena, 16 * MIB, MIB);
	arena_grow(&arena, 2 * MIB, MIB);
	memset(arena.start, 0xa5, 2 * MIB);
	os_fail_nth(1, 1);
	EXPECT(!arena_shrink(&arena, 0));
	EXPECT_EQ(arena.brk, 2 * MIB);
	EXPECT(is_filled(arena.start, 2 * MIB, 0xa5));
	EXPECT(arena_shrink(&arena, 0));
	EXPECT_EQ(arena.brk, 0);
}

TEST(cut_gives_two_arenas_that_grow_apart)
{
	struct arena head;
	char *start;

	wake_os();
	arena_reserve(&arena, 16 * MIB, MIB);
	start = arena.start;
	arena_cut(&arena, 4 * MIB, &head);
	EXPECT_EQ(head.start, start);
	EXPECT_EQ(head.reserved, 4 * MIB);
	EXPECT_EQ(arena.start, start + 4 * MIB);
	EXPECT_EQ(arena.reserved, 12 * MIB);
	EXPECT(arena_grow(&head, 4 * MIB, MIB));
	EXPECT(!arena_grow(&head, 4 * MIB + 1, MIB));
	EXPECT(arena_grow(&arena, 12 * MIB, MIB));
	memset(start, 1, 16 * MIB);
}

TEST(unused_addresses_are_given_back_once)
{
	size_t mapped;

	wake_os();
	arena_reserve(&arena, 16 * MIB, MIB);
	arena_grow(&arena, 2 * MIB, MIB);
	mapped = os_mapped_bytes();
	os_fail_nth(1, 1);
	EXPECT_EQ(arena_give_back(&arena), 0);
	EXPECT_EQ(arena_give_back(&arena), 14 * MIB);
	EXPECT_EQ(arena_give_back(&arena), 0);
	EXPECT_EQ(os_mapped_bytes(), mapped - 14 * MIB);
	EXPECT(!arena_grow(&arena, 2 * MIB + 1, MIB));
	memset(arena.start, 1, 2 * MIB);
}
