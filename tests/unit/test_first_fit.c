/* SPDX-License-Identifier: MIT */
/* The blocks of a heap: fit, merge, footprint, misuse. */
#include <slubmalloc/heap.h>

#include <errno.h>
#include <pthread.h>

#include "heap/break.h"
#include "test.h"

enum {
	MIB = 1 << 20
};

static struct sm_heap_stats stats_of(struct sm_heap *heap)
{
	struct sm_heap_stats stats;

	heap_check(heap);
	sm_heap_stats(heap, &stats);
	return stats;
}

TEST(blocks_are_aligned_and_apart)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *last = NULL;

	for (size_t size = 0; size < 300; size++) {
		char *block = sm_heap_alloc(heap, size, 0);

		EXPECT_EQ((uintptr_t)block % 16, 0);
		EXPECT(block > last);
		memset(block, 0xa5, size);
		last = block + size;
		heap_check(heap);
	}
}

TEST(block_costs_one_word_and_no_more_than_rounding)
{
	struct sm_heap *heap = sm_heap_create(MIB);

	for (int i = 0; i < 1000; i++)
		EXPECT(sm_heap_alloc(heap, 24, 0));
	EXPECT_EQ(stats_of(heap).used, 32 * 1000);
	EXPECT_EQ(stats_of(heap).size, 32 * 1000 + 16);
	EXPECT(sm_heap_alloc(heap, 1000, 0));
	EXPECT_EQ(stats_of(heap).used, 32 * 1000 + 1008);
}

TEST(size_of_zero_gives_blocks_of_their_own)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	void *a = sm_heap_alloc(heap, 0, 0), *b = sm_heap_alloc(heap, 0, 0);

	EXPECT(a && b && a != b);
	sm_heap_free(heap, a);
	sm_heap_free(heap, b);
	EXPECT_EQ(stats_of(heap).blocks, 0);
}

TEST(unknown_flags_are_invalid)
{
	struct sm_heap *heap = sm_heap_create(MIB);

	errno = 0;
	EXPECT(!sm_heap_alloc(heap, 10, 1 << 10));
	EXPECT_EQ(errno, EINVAL);
	errno = 0;
	EXPECT(!sm_heap_alloc(heap, 10, SM_NOWAIT | SM_NOFAIL));
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(stats_of(heap).size, 0);
}

TEST(lowest_block_that_fits_is_taken)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	void *block[10];

	for (size_t i = 0; i < 10; i++)
		block[i] = sm_heap_alloc(heap, 100 * (i + 1), 0);
	sm_heap_free(heap, block[8]);
	sm_heap_free(heap, block[2]);
	sm_heap_free(heap, block[5]);
	EXPECT_EQ(sm_heap_alloc(heap, 350, 0), block[5]);
	EXPECT_EQ(sm_heap_alloc(heap, 250, 0), block[2]);
	EXPECT_EQ(sm_heap_alloc(heap, 250, 0), block[8]);
	heap_check(heap);
}

TEST(frees_in_any_order_merge_back_into_one_block)
{
	enum {
		BLOCKS = 64
	};
	struct sm_heap *heap = sm_heap_create(MIB);
	uint64_t random = test_seed();
	void *block[BLOCKS];

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < BLOCKS; i++)
			block[i] = sm_heap_alloc(
				heap, test_random(&random) % 1000, 0);
		for (int left = BLOCKS; left > 0; left--) {
			int i = (int)(test_random(&random) % (size_t)left);

			sm_heap_free(heap, block[i]);
			block[i] = block[left - 1];
			heap_check(heap);
		}
		EXPECT_EQ(stats_of(heap).free_blocks, 1);
		EXPECT_EQ(stats_of(heap).used, 0);
	}
}

TEST(free_of_the_last_large_block_lowers_the_break)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	void *low = sm_heap_alloc(heap, 1000, 0);
	void *middle = sm_heap_alloc(heap, 100 << 10, 0);
	void *high = sm_heap_alloc(heap, 100 << 10, 0);
	size_t size = stats_of(heap).size;

	sm_heap_free(heap, high);
	EXPECT_EQ(stats_of(heap).size, size);
	sm_heap_free(heap, middle);
	EXPECT(stats_of(heap).size < 1100);
	EXPECT_EQ(stats_of(heap).free_blocks, 0);
	sm_heap_free(heap, low);
	EXPECT_EQ(stats_of(heap).blocks, 0);
}

TEST(zero_flag_clears_used_memory)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	uint64_t random = test_seed();

	for (int i = 0; i < 1000; i++) {
		size_t size = test_random(&random) % 5000;
		char *block = sm_heap_alloc(heap, size, SM_ZERO);

		for (size_t k = 0; k < size; k++)
			EXPECT_EQ(block[k], 0);
		memset(block, 0xa5, size);
		if (i % 50 == 49)
			sm_heap_reset(heap);
		else if (i % 3)
			sm_heap_free(heap, block);
	}
}

TEST(nowait_makes_no_system_call)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	size_t calls = os_call_count();
	void *block;

	errno = 0;
	EXPECT(!sm_heap_alloc(heap, 100, SM_NOWAIT));
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(stats_of(heap).size, 0);

	block = sm_heap_alloc(heap, 1000, 0);
	EXPECT(block);
	sm_heap_free(heap, block);
	EXPECT(os_call_count() > calls);
	calls = os_call_count();
	while (sm_heap_alloc(heap, 100, SM_NOWAIT))
		heap_check(heap);
	EXPECT(stats_of(heap).blocks > 100);
	EXPECT_EQ(os_call_count(), calls);
	EXPECT(sm_heap_alloc(heap, 100, 0));
}

TEST(full_heap_is_no_memory_and_stays_whole)
{
	struct sm_heap *heap = sm_heap_create(100000);
	void *block[200];
	size_t count = 0;

	while ((block[count] = sm_heap_alloc(heap, 1000, 0)))
		count++;
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(count, 99);
	EXPECT(!sm_heap_alloc(heap, SIZE_MAX, 0));
	EXPECT(!sm_heap_alloc(heap, SIZE_MAX - 8, 0));
	EXPECT(!sm_heap_alloc(heap, 100000, 0));
	EXPECT_EQ(stats_of(heap).blocks, 99);
	sm_heap_free(heap, block[50]);
	EXPECT_EQ(sm_heap_alloc(heap, 1000, 0), block[50]);
}

static struct {
	struct sm_heap *heap;
	void *spare;
	size_t asked;
} reserve;

static int free_spare(size_t size)
{
	reserve.asked = size;
	if (!reserve.spare)
		return 1;
	sm_heap_free(reserve.heap, reserve.spare);
	reserve.spare = NULL;
	return 0;
}

TEST(nofail_asks_the_program_and_then_gives_up)
{
	reserve.heap = sm_heap_create(100000);
	reserve.spare = sm_heap_alloc(reserve.heap, 90000, 0);
	sm_set_nofail(free_spare);
	EXPECT(sm_heap_alloc(reserve.heap, 80000, SM_NOFAIL));
	EXPECT_EQ(reserve.asked, 80000);
	EXPECT_PANIC("must not fail",
		     sm_heap_alloc(reserve.heap, 80000, SM_NOFAIL));
	EXPECT_PANIC("must not fail",
		     sm_heap_alloc(reserve.heap, SIZE_MAX, SM_NOFAIL));
}

TEST(free_keeps_errno)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	void *block = sm_heap_alloc(heap, MIB / 2, 0);

	os_fail_nth(1, SIZE_MAX);
	errno = 1234;
	sm_heap_free(heap, block);
	sm_heap_free(heap, NULL);
	EXPECT_EQ(errno, 1234);
}

TEST(inside_the_gate_a_free_is_left_to_the_next_call)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	void *a = sm_heap_alloc(heap, 100, 0), *b = sm_heap_alloc(heap, 100, 0);

	EXPECT(gate_enter(GATE_BRIEFLY));
	EXPECT(!sm_heap_alloc(heap, 10, 0));
	EXPECT_EQ(errno, ENOMEM);
	sm_heap_free(heap, a);
	sm_heap_free(heap, b);
	gate_leave();
	EXPECT_EQ(stats_of(heap).blocks, 2);
	EXPECT_EQ(sm_heap_alloc(heap, 200, 0), a);
	EXPECT_EQ(stats_of(heap).blocks, 1);
	EXPECT_PANIC("double free in a heap", sm_heap_free(heap, b));
}

TEST(double_free_is_caught)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	void *low = sm_heap_alloc(heap, 100, 0);
	void *high = sm_heap_alloc(heap, 100, 0);

	sm_heap_free(heap, low);
	EXPECT_PANIC("double free in a heap", sm_heap_free(heap, low));
	sm_heap_free(heap, high);
	EXPECT_PANIC("double free in a heap", sm_heap_free(heap, low));
	EXPECT_PANIC("double free in a heap", sm_heap_free(heap, high));
}

TEST(pointer_of_another_heap_is_caught)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	struct sm_heap *other = sm_heap_create(MIB);
	char *block = sm_heap_alloc(heap, 100, SM_ZERO);
	int here;

	EXPECT_PANIC("block is not of this heap", sm_heap_free(other, block));
	EXPECT_PANIC("block is not of this heap", sm_heap_free(heap, &here));
	EXPECT_PANIC("block is not of this heap",
		     sm_heap_free(heap, block + 16));
	EXPECT_PANIC("block is not of this heap",
		     sm_heap_free(heap, block + 1));
	EXPECT_PANIC("block is not of this heap",
		     sm_heap_free(heap, sm_heap_sbrk(heap, 0)));
	sm_heap_reset(heap);
	EXPECT_PANIC("block is not of this heap", sm_heap_free(heap, block));
}

TEST(write_past_a_block_is_caught)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *low = sm_heap_alloc(heap, 24, 0);
	char *high = sm_heap_alloc(heap, 24, 0);

	low[24] ^= 1;
	EXPECT_PANIC("word after a block of a heap was overwritten",
		     sm_heap_free(heap, low));
	low[24] ^= 1;
	high[31] ^= 1;
	EXPECT_PANIC("last word of a heap was overwritten",
		     sm_heap_alloc(heap, 24, 0));
	high[31] ^= 1;
	low[-8] ^= 16;
	EXPECT_PANIC("block is not of this heap", sm_heap_free(heap, low));
}

TEST(write_to_a_free_block_is_caught)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	char *low = sm_heap_alloc(heap, 1000, 0);
	char *high = sm_heap_alloc(heap, 1000, 0);

	sm_heap_free(heap, low);
	low[-8] ^= 16;
	EXPECT_PANIC("free block of a heap was overwritten",
		     sm_heap_alloc(heap, 500, 0));
	low[-8] ^= 16;
	*(void **)low = low;
	EXPECT_PANIC("free block of a heap was overwritten",
		     sm_heap_alloc(heap, 500, 0));
	low[993] ^= 1;
	EXPECT_PANIC("free block of a heap was overwritten",
		     sm_heap_free(heap, high));
}

static void *alloc_and_free(void *heap)
{
	uint64_t random = test_seed() + (uintptr_t)pthread_self();
	unsigned char *block[16] = { NULL };

	for (int i = 0; i < 5000; i++) {
		size_t which = test_random(&random) % 16;
		size_t size = 1 + test_random(&random) % 500;

		if (block[which])
			EXPECT_EQ(block[which][0], which);
		sm_heap_free(heap, block[which]);
		block[which] = sm_heap_alloc(heap, size, 0);
		memset(block[which], (int)which, size);
	}
	for (size_t i = 0; i < 16; i++)
		sm_heap_free(heap, block[i]);
	return NULL;
}

TEST(threads_share_a_heap)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, alloc_and_free, heap);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(stats_of(heap).blocks, 0);
}

enum {
	SBRKS = 20000
};

static void *move_break_up(void *heap)
{
	for (int i = 0; i < SBRKS; i++) {
		uint64_t *word = sm_heap_sbrk(heap, sizeof(*word));

		EXPECT_EQ(*word, 0);
		*word = 1;
	}
	return NULL;
}

TEST(threads_never_get_the_same_bytes_from_sbrk)
{
	struct sm_heap *heap = sm_heap_create(MIB);
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, move_break_up, heap);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(stats_of(heap).size, 4 * SBRKS * sizeof(uint64_t));
}
