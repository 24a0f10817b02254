/* SPDX-License-Identifier: MIT */
/* The break of a heap: brk and sbrk, zeroes, limits, and failing memory. */
#include <slubmalloc/heap.h>

#include <errno.h>
#include <sys/mman.h>

#include "heap/break.h"
#include "test.h"

enum {
	MIB = 1 << 20
};

static bool is_filled(const char *bytes, size_t len, int byte)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != (char)byte)
			return false;
	}
	return true;
}

/* Pages of [@start, @start + @len) that are in memory. */
static size_t count_resident_pages(void *start, size_t len)
{
	unsigned char map[256];
	size_t pages = len / os_page_bytes(), sum = 0;

	EXPECT(pages <= sizeof(map));
	EXPECT_EQ(mincore(start, len, map), 0);
	for (size_t i = 0; i < pages; i++)
		sum += map[i] & 1;
	return sum;
}

TEST(new_heap_is_empty)
{
	struct sm_heap *heap = sm_heap_create(3 * MIB + 1);
	struct sm_heap_stats stats;

	EXPECT(heap);
	heap_check(heap);
	sm_heap_stats(heap, &stats);
	EXPECT_EQ(stats.limit, 3 * MIB + 1);
	EXPECT_EQ(stats.size, 0);
	EXPECT_EQ(stats.used, 0);
	EXPECT_EQ(stats.blocks, 0);
	EXPECT_EQ(stats.free_blocks, 0);
}

TEST(limit_of_zero_is_one_gib)
{
	struct sm_heap *heap = sm_heap_create(0);
	struct sm_heap_stats stats;

	EXPECT(heap);
	sm_heap_stats(heap, &stats);
	EXPECT_EQ(stats.limit, (size_t)1 << 30);
}

TEST(absurd_limit_is_no_memory)
{
	errno = 0;
	EXPECT(!sm_heap_create(SIZE_MAX));
	EXPECT_EQ(errno, ENOMEM);
	errno = 0;
	EXPECT(!sm_heap_create(SIZE_MAX / 2));
	EXPECT_EQ(errno, ENOMEM);
	errno = 0;
	EXPECT(!sm_heap_create((size_t)1 << 47));
	EXPECT_EQ(errno, ENOMEM);
}

TEST(sbrk_returns_the_break_before)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 0);

	EXPECT_EQ(sm_heap_sbrk(heap, 100), start);
	EXPECT_EQ(sm_heap_sbrk(heap, 5000), start + 100);
	EXPECT_EQ(sm_heap_sbrk(heap, -100), start + 5100);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start + 5000);
	heap_check(heap);
}

TEST(brk_sets_what_sbrk_tells)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 0);

	EXPECT_EQ(sm_heap_brk(heap, start + 12345), 0);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start + 12345);
	EXPECT_EQ(sm_heap_brk(heap, start + 12345), 0);
	EXPECT_EQ(sm_heap_brk(heap, start), 0);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start);
	heap_check(heap);
}

TEST(break_reaches_the_limit_and_not_a_byte_more)
{
	struct sm_heap *heap = sm_heap_create(100001);
	char *start = sm_heap_sbrk(heap, 0);

	EXPECT_EQ(sm_heap_sbrk(heap, 100001), start);
	start[100000] = 1;
	errno = 0;
	EXPECT_EQ(sm_heap_sbrk(heap, 1), (void *)-1);
	EXPECT_EQ(errno, ENOMEM);
	errno = 0;
	EXPECT_EQ(sm_heap_brk(heap, start + 100002), -1);
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start + 100001);
	heap_check(heap);
}

TEST(break_outside_of_the_segment_is_refused)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 0);

	sm_heap_sbrk(heap, 10);
	EXPECT_EQ(sm_heap_brk(heap, start - 1), -1);
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(sm_heap_brk(heap, NULL), -1);
	EXPECT_EQ(sm_heap_brk(heap, (void *)UINTPTR_MAX), -1);
	EXPECT_EQ(sm_heap_sbrk(heap, -11), (void *)-1);
	EXPECT_EQ(sm_heap_sbrk(heap, INTPTR_MIN), (void *)-1);
	EXPECT_EQ(sm_heap_sbrk(heap, INTPTR_MAX), (void *)-1);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start + 10);
	heap_check(heap);
}

TEST(growth_is_zero_after_every_kind_of_shrink)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 0);
	uint64_t random = test_seed();
	size_t size = 0;

	for (int i = 0; i < 2000; i++) {
		size_t next = test_random(&random) % (MIB / 4);

		/* Half the steps stay near, so within a page or two. */
		if (i % 2)
			next = min_size(size + next % 9000, MIB / 4);
		EXPECT_EQ(sm_heap_brk(heap, start + next), 0);
		if (next > size)
			EXPECT(is_filled(start + size, next - size, 0));
		memset(start, 0xa5, next);
		heap_check(heap);
		size = next;
	}
}

/* Locked memory is not discarded, and a failing call stands for a system that
 * refuses to replace the mapping as well. */
TEST(growth_is_zero_even_if_the_system_takes_nothing_back)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 50000);

	memset(start, 0xa5, 50000);
	os_fail_nth(1, 2);
	EXPECT_EQ(sm_heap_brk(heap, start + 100), 0);
	os_fail_nth(0, 0);
	heap_check(heap);
	EXPECT(is_filled(start, 100, 0xa5));
	EXPECT_EQ(sm_heap_brk(heap, start + 70000), 0);
	EXPECT(is_filled(start + 100, 70000 - 100, 0));
	heap_check(heap);
}

TEST(shrink_discards_where_it_cannot_decommit)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, MIB / 2);

	memset(start, 0xa5, MIB / 2);
	os_fail_nth(1, 1);
	sm_heap_brk(heap, start);
	os_fail_nth(0, 0);
	EXPECT_EQ(count_resident_pages(start, MIB / 2), 0);
	EXPECT_EQ(sm_heap_brk(heap, start + MIB / 2), 0);
	EXPECT(is_filled(start, MIB / 2, 0));
}

TEST(shrink_gives_memory_back)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, MIB / 2);
	size_t page = os_page_bytes();

	memset(start, 0xa5, MIB / 2);
	EXPECT_EQ(count_resident_pages(start, MIB / 2), MIB / 2 / page);
	sm_heap_brk(heap, start + page + 1);
	EXPECT_EQ(count_resident_pages(start, MIB / 2), 2);
	sm_heap_brk(heap, start);
	EXPECT_EQ(count_resident_pages(start, MIB / 2), 0);
}

TEST(small_steps_of_the_break_share_system_calls)
{
	struct sm_heap *heap = sm_heap_create(64 * MIB);
	size_t calls = os_call_count();

	for (int i = 0; i < 64 * MIB / 1024; i++)
		EXPECT(sm_heap_sbrk(heap, 1024) != (void *)-1);
	EXPECT(os_call_count() - calls < 64);
}

TEST(break_grows_even_if_only_what_it_needs_can_be_had)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start;

	os_fail_nth(1, 1);
	start = sm_heap_sbrk(heap, 5000);
	EXPECT(start != (void *)-1);
	start[4999] = 1;
	heap_check(heap);
}

TEST(allocated_block_makes_the_break_busy_until_reset)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 0);
	void *block = sm_heap_alloc(heap, 100, 0);

	errno = 0;
	EXPECT_EQ(sm_heap_brk(heap, start), -1);
	EXPECT_EQ(errno, EBUSY);
	errno = 0;
	EXPECT_EQ(sm_heap_sbrk(heap, 16), (void *)-1);
	EXPECT_EQ(errno, EBUSY);
	EXPECT(sm_heap_sbrk(heap, 0) > block);

	sm_heap_free(heap, block);
	EXPECT_EQ(sm_heap_brk(heap, start), -1);
	EXPECT_EQ(errno, EBUSY);

	sm_heap_reset(heap);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start);
	EXPECT_EQ(sm_heap_sbrk(heap, 16), start);
}

TEST(failed_first_allocation_leaves_the_break_to_the_program)
{
	struct sm_heap *heap = sm_heap_create(10000);
	char *start = sm_heap_sbrk(heap, 9000);

	EXPECT(!sm_heap_alloc(heap, 2000, 0));
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(sm_heap_sbrk(heap, 0), start + 9000);
	EXPECT_EQ(sm_heap_brk(heap, start + 10000), 0);
	EXPECT(is_filled(start, 10000, 0));
}

TEST(blocks_leave_the_program_its_bare_part)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 1001);
	char *block;

	memset(start, 0xa5, 1001);
	block = sm_heap_alloc(heap, 3000, SM_ZERO);
	EXPECT(block >= start + 1001);
	EXPECT(is_filled(block, 3000, 0));
	memset(block, 0x11, 3000);
	sm_heap_free(heap, block);
	EXPECT(is_filled(start, 1001, 0xa5));
	heap_check(heap);
}

TEST(reset_heap_is_as_new)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *start = sm_heap_sbrk(heap, 0);
	struct sm_heap_stats stats;

	for (int i = 0; i < 10; i++)
		memset(sm_heap_alloc(heap, 50000, 0), 0xa5, 50000);
	sm_heap_reset(heap);
	heap_check(heap);
	sm_heap_stats(heap, &stats);
	EXPECT_EQ(stats.size + stats.used + stats.blocks + stats.free_blocks,
		  0);
	EXPECT_EQ(count_resident_pages(start, MIB), 0);
	EXPECT_EQ(sm_heap_sbrk(heap, MIB), start);
	EXPECT(is_filled(start, MIB, 0));
}

TEST(destroy_gives_all_address_space_back)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	size_t mapped;

	sm_heap_destroy(heap); /* what the first heap brings stays */
	mapped = os_mapped_bytes();
	heap = sm_heap_create(64 * MIB);
	EXPECT(os_mapped_bytes() >= mapped + 64 * MIB);
	sm_heap_alloc(heap, 10 * MIB, 0);
	sm_heap_destroy(heap);
	EXPECT_EQ(os_mapped_bytes(), mapped);
	sm_heap_destroy(NULL);
}

/* What a heap does in its life; false as soon as memory is out. */
static bool live_through(struct sm_heap *heap)
{
	char *start = sm_heap_sbrk(heap, 100000), *block;

	if (start == (void *)-1)
		return false;
	memset(start, 0xa5, 100000);
	sm_heap_brk(heap, start + 10);
	if (sm_heap_brk(heap, start + 300000) < 0)
		return false;
	EXPECT(is_filled(start + 10, 300000 - 10, 0));
	block = sm_heap_alloc(heap, 500000, SM_ZERO);
	if (!block)
		return false;
	EXPECT(is_filled(block, 500000, 0));
	memset(block, 0xa5, 500000);
	sm_heap_free(heap, block);
	return true;
}

TEST(any_failing_system_call_leaves_the_heap_whole)
{
	size_t mapped;
	bool done = false;

	sm_heap_destroy(sm_heap_create(4 * MIB));
	mapped = os_mapped_bytes();
	for (size_t nth = 1; !done; nth++) {
		struct sm_heap *heap;

		EXPECT(nth < 100);
		errno = 0;
		os_fail_nth(nth, SIZE_MAX);
		heap = sm_heap_create(4 * MIB);
		done = heap && live_through(heap);
		EXPECT(done || errno == ENOMEM);
		os_fail_nth(0, 0);
		if (heap) {
			heap_check(heap);
			EXPECT(done || live_through(heap));
			sm_heap_reset(heap);
			EXPECT(live_through(heap));
		}
		sm_heap_destroy(heap);
		EXPECT_EQ(os_mapped_bytes(), mapped);
	}
}

TEST(one_failing_system_call_is_survived)
{
	for (size_t nth = 1; nth < 40; nth++) {
		struct sm_heap *heap = sm_heap_create(4 * MIB);

		os_fail_nth(nth, 1);
		live_through(heap);
		os_fail_nth(0, 0);
		heap_check(heap);
		sm_heap_reset(heap);
		EXPECT(live_through(heap));
		heap_check(heap);
		sm_heap_destroy(heap);
	}
}
