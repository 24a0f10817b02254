/* SPDX-License-Identifier: MIT */
/*
 * Those who can't pass the gate: a signal handler that interrupted the
 * allocator itself.
 */
#include <slubmalloc/malloc.h>

#include <errno.h>
#include <signal.h>

#include "heap/heap.h"
#include "wake_page.h"

static struct {
	void (*body)(void);
	unsigned char *block;
	unsigned char *others[64];
} shared;

static void handle(int number)
{
	(void)number;
	shared.body();
}

/* Run @body in a signal handler that interrupts code inside the gate. */
static void interrupt_the_allocator(void (*body)(void))
{
	shared.body = body;
	signal(SIGUSR1, handle);
	EXPECT(gate_enter(GATE_LONG));
	raise(SIGUSR1);
	gate_leave();
}

static size_t live_runs(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return stats.run_allocs - stats.run_frees - runs_cached();
}

static void allocate(void)
{
	for (size_t i = 0; i < 64; i++) {
		size_t size = 40000 + 1000 * i;

		shared.others[i] = sm_malloc(size);
		EXPECT(shared.others[i]);
		EXPECT_EQ((uintptr_t)shared.others[i] % SM_ALIGN_MIN, 0);
		EXPECT(sm_usable_size(shared.others[i]) >= size);
		EXPECT(sm_owns(shared.others[i]));
		memset(shared.others[i], (int)i, size);
	}
}

TEST(handler_gets_memory_without_a_lock)
{
	size_t runs = live_runs();

	interrupt_the_allocator(allocate);
	EXPECT_EQ(live_runs(), runs); /* they're no runs */
	for (size_t i = 0; i < 64; i++) {
		EXPECT(is_filled(shared.others[i], 40000 + 1000 * i, (int)i));
		sm_free(shared.others[i]);
	}
}

static void allocate_zeroed_and_aligned(void)
{
	for (size_t align = 16; align <= 65536; align *= 2) {
		char *block = sm_aligned_alloc(align, 50000);

		EXPECT_EQ((uintptr_t)block % align, 0);
		memset(block, 0xa5, 50000);
		sm_free(block);
		block = sm_calloc(1, 50000);
		EXPECT(is_filled(block, 50000, 0));
		sm_free(block);
	}
}

TEST(memory_of_a_handler_may_be_zeroed_or_aligned)
{
	interrupt_the_allocator(allocate_zeroed_and_aligned);
}

static void reallocate(void)
{
	unsigned char *block = sm_malloc(40000);

	memset(block, 0x77, 40000);
	block = sm_realloc(block, 100000);
	EXPECT(is_filled(block, 40000, 0x77));
	shared.block = sm_realloc(shared.block, 200000);
	EXPECT(is_filled(shared.block, 50000, 0x66));
	sm_free(block);
}

TEST(handler_can_move_blocks)
{
	shared.block = sm_malloc(50000);
	memset(shared.block, 0x66, 50000);
	interrupt_the_allocator(reallocate);
	EXPECT(is_filled(shared.block, 50000, 0x66));
	shared.block = sm_realloc(shared.block, 300000);
	EXPECT(is_filled(shared.block, 50000, 0x66));
	sm_free(shared.block);
}

static void reallocate_mapping(void)
{
	errno = 0;
	EXPECT_EQ(sm_realloc(shared.block, 20 << 20), NULL);
	EXPECT_EQ(errno, ENOMEM);
}

TEST(handler_that_cannot_move_a_mapping_is_told_so)
{
	shared.block = sm_malloc(10 << 20);
	memset(shared.block, 0x66, 10 << 20);
	interrupt_the_allocator(reallocate_mapping);
	EXPECT(is_filled(shared.block, 10 << 20, 0x66));
	sm_free(shared.block);
}

static void free_the_block(void)
{
	sm_free(shared.block);
}

TEST(what_a_handler_frees_is_freed_later)
{
	size_t runs = live_runs();

	shared.block = sm_malloc(100000);
	EXPECT_EQ(live_runs(), runs + 1);
	interrupt_the_allocator(free_the_block);
	EXPECT_EQ(live_runs(), runs + 1);
	sm_free(sm_malloc(2 << 20)); /* any slow path */
	EXPECT_EQ(live_runs(), runs);
}

static void free_many(void)
{
	for (int i = 0; i < 64; i++)
		sm_free(shared.others[i]);
}

TEST(handler_frees_blocks_of_all_kinds)
{
	struct vma_stats before, after;

	vma_stats(&before);
	for (size_t i = 0; i < 64; i++)
		shared.others[i] = sm_malloc((size_t)100 << i % 16);
	interrupt_the_allocator(free_many);
	sm_free(sm_malloc(2 << 20));
	vma_stats(&after);
	EXPECT_EQ(after.count, before.count);
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++)
		cache_check(cache_of_class(class, 0));
	page_check();
}

static void free_emergency_twice(void)
{
	void *block = sm_malloc(50000);

	sm_free(block);
	sm_free(block);
}

static void free_inside_emergency(void)
{
	char *block = sm_malloc(50000);

	sm_free(block + 16);
}

TEST(misuse_in_a_handler_is_seen_too)
{
	EXPECT_PANIC("free of a pointer",
		     interrupt_the_allocator(free_emergency_twice));
	EXPECT_PANIC("free of a pointer",
		     interrupt_the_allocator(free_inside_emergency));
}

static void allocate_in_vain(void)
{
	os_fail_nth(1, SIZE_MAX);
	errno = 0;
	EXPECT_EQ(sm_malloc(10 << 20), NULL);
	EXPECT_EQ(errno, ENOMEM);
	os_fail_nth(0, 0);
	EXPECT(sm_malloc(10 << 20));
}

TEST(handler_may_run_out_of_memory)
{
	interrupt_the_allocator(allocate_in_vain);
}

static void allocate_and_free(void)
{
	for (int i = 0; i < 1000; i++) {
		void *block = sm_malloc(50000);

		EXPECT(block);
		memset(block, 1, 50000);
		sm_free(block);
	}
}

TEST(chunk_without_live_blocks_starts_over)
{
	size_t mapped;

	interrupt_the_allocator(allocate_and_free);
	mapped = os_mapped_bytes();
	interrupt_the_allocator(allocate_and_free);
	EXPECT_EQ(os_mapped_bytes(), mapped);
}
