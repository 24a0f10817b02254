/* SPDX-License-Identifier: MIT */
/* Mappings of their own: alloc, free, resize, the cache, and failures. */
#include <slubmalloc/flags.h>

#include <sys/mman.h>

#include "vma/mapping.h"

#include "test.h"

#define MIB ((size_t)1 << 20)

enum {
	TICK_MS = 250,
	KEPT_TICKS = 3,	  /* one that nobody took is dropped at the third */
	WINDOW_TICKS = 4, /* of a peak: this epoch, and the one before */
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
	vma_tick(now_ms);
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

/* Let no mapping come to lie at @page. */
static void block_page(char *page)
{
	mmap(page, os_page_bytes(), PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

/* A new mapping that touches none that comes after it. */
static void *alloc_apart(size_t size)
{
	char *block = alloc(size);

	block_page(block - os_page_bytes());
	block_page(block + vma_size(block));
	return block;
}

/* Let so many bytes have been live a moment ago, with nothing kept. */
static void raise_peak(size_t bytes)
{
	vma_free(alloc(bytes));
	vma_trim();
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
	vma_tick(now_ms += TICK_MS);
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
	expect_nothing_left();
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

TEST(the_smallest_that_is_large_enough_is_reused)
{
	void *large, *fit, *small, *block;

	start();
	large = alloc_apart(5 * MIB);
	fit = alloc_apart(9 * MIB / 2);
	small = alloc_apart(3 * MIB);
	vma_free(fit);
	vma_free(large);
	vma_free(small);
	EXPECT_EQ(alloc(4 * MIB), fit);
	EXPECT_EQ(vma_size(fit), 9 * MIB / 2); /* a quarter is not cut off */
	EXPECT_EQ(alloc(4 * MIB), large);
	block = alloc(4 * MIB);
	EXPECT(block != small);
	vma_free(block);
	vma_free(fit);
	vma_free(large);
	expect_nothing_left();
}

TEST(of_those_of_about_a_size_the_smallest_is_reused)
{
	void *blocks[3];

	start();
	blocks[0] = alloc_apart(19 * MIB / 4);
	blocks[1] = alloc_apart(9 * MIB / 2);
	blocks[2] = alloc_apart(19 * MIB / 4);
	for (int i = 0; i < 3; i++)
		vma_free(blocks[i]);
	vma_free(alloc_apart(MIB));
	EXPECT_EQ(alloc(4 * MIB), blocks[1]);
	EXPECT_EQ(alloc(4 * MIB), blocks[2]); /* the last freed of two */
	vma_free(blocks[1]);
	vma_free(blocks[2]);
	expect_nothing_left();
}

TEST(a_new_mapping_is_not_touched_to_zero_it)
{
	unsigned char present[4];
	void *block;

	start();
	block = vma_alloc(MIB, 1, SM_ZERO);
	EXPECT(block);
	EXPECT_EQ(mincore(block, sizeof(present) * os_page_bytes(), present),
		  0);
	for (size_t i = 0; i < sizeof(present); i++)
		EXPECT_EQ(present[i] & 1, 0);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_larger_one_is_split_and_its_rest_kept)
{
	unsigned char *large, *rest;
	size_t calls;

	start();
	large = alloc(16 * MIB);
	memset(large, 0xff, 16 * MIB);
	vma_free(large);
	calls = os_call_count();
	EXPECT_EQ(vma_alloc(2 * MIB, 1, SM_ZERO), large);
	EXPECT_EQ(vma_size(large), 2 * MIB);
	EXPECT_EQ(stats_now().cached_bytes, 14 * MIB);
	EXPECT(is_filled(large, 2 * MIB, 0));
	rest = vma_alloc(14 * MIB, 1, SM_ZERO | SM_NOWAIT);
	EXPECT_EQ(rest, large + 2 * MIB);
	EXPECT_EQ(os_call_count(), calls);
	EXPECT(is_filled(rest, 14 * MIB, 0));
	memset(rest, 2, 14 * MIB);
	EXPECT(is_filled(large, 2 * MIB, 0));
	vma_free(large);
	EXPECT(is_filled(rest, 14 * MIB, 2));
	vma_free(rest);
	expect_nothing_left();
}

TEST(an_aligned_block_is_cut_out_of_the_middle)
{
	char *large, *block;
	uintptr_t start_of_block;
	size_t calls;

	start();
	large = vma_alloc(32 * MIB, 16 * MIB, 0);
	EXPECT(large);
	vma_free(large);
	EXPECT_EQ(alloc(MIB), large); /* so that the rest isn't aligned */
	start_of_block = (uintptr_t)large + 8 * MIB;
	calls = os_call_count();
	block = vma_alloc(4 * MIB, 8 * MIB, 0);
	EXPECT_EQ((uintptr_t)block, start_of_block);
	EXPECT_EQ(os_call_count(), calls);
	EXPECT_EQ(vma_size(block), 4 * MIB);
	EXPECT_EQ(stats_now().cached, 2);
	EXPECT_EQ(stats_now().cached_bytes, 27 * MIB);
	vma_free(large);
	EXPECT_EQ(stats_now().cached, 2);
	vma_free(block);
	EXPECT_EQ(stats_now().cached, 1);
	EXPECT_EQ(stats_now().cached_bytes, 32 * MIB);
	expect_nothing_left();
}

/* The four quarters of a mapping, freed in the @nth order. */
static void free_quarters(char *large, unsigned int nth)
{
	unsigned int left = 4;
	char *quarters[4];

	for (int i = 0; i < 4; i++) {
		quarters[i] = alloc(4 * MIB);
		EXPECT_EQ(quarters[i], large + (size_t)i * 4 * MIB);
	}
	while (left > 0) {
		unsigned int pick = nth % left;

		nth /= left;
		EXPECT(vma_free(quarters[pick]));
		vma_check();
		quarters[pick] = quarters[--left];
	}
}

TEST(neighbours_that_are_freed_become_one_in_any_order)
{
	char *large;
	size_t calls;

	start();
	large = alloc(16 * MIB);
	vma_free(large);
	calls = os_call_count();
	for (unsigned int nth = 0; nth < 24; nth++) {
		free_quarters(large, nth);
		EXPECT_EQ(stats_now().cached, 1);
		EXPECT_EQ(stats_now().cached_bytes, 16 * MIB);
	}
	EXPECT_EQ(alloc(16 * MIB), large);
	EXPECT_EQ(os_call_count(), calls);
	vma_free(large);
	expect_nothing_left();
}

/* Let meta_alloc() have nothing to give; system calls fail from now on. */
static void use_up_structs(void)
{
	os_fail_nth(1, SIZE_MAX);
	while (meta_alloc(sizeof(struct mapping), 0))
		continue;
}

TEST(without_memory_for_a_struct_nothing_is_split)
{
	char *large, *other, *block;

	start();
	large = alloc(16 * MIB);
	other = alloc_apart(4 * MIB);
	memset(other, 7, 4 * MIB);
	use_up_structs();
	EXPECT_EQ(vma_resize(other, MIB, true), other);
	EXPECT_EQ(vma_size(other), 4 * MIB);
	vma_free(large);
	block = alloc(2 * MIB); /* then it's all of it */
	EXPECT_EQ(block, large);
	EXPECT_EQ(vma_size(block), 16 * MIB);
	vma_free(block);
	os_fail_nth(0, 0);
	EXPECT(is_filled((unsigned char *)other, 4 * MIB, 7));
	vma_free(other);
	expect_nothing_left();
}
TEST(a_reused_mapping_has_the_alignment_asked_for)
{
	void *plain, *block;
	size_t align;

	start();
	raise_peak(16 * MIB);
	plain = alloc_apart(4 * MIB);
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

TEST(what_was_live_a_moment_ago_is_kept_whatever_its_size)
{
	enum {
		BLOCKS = 1000
	};
	static void *blocks[BLOCKS];
	void *large;
	size_t calls;

	start();
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = alloc(2 * os_page_bytes());
	large = alloc(512 * MIB);
	for (int i = 0; i < BLOCKS; i += 2)
		vma_free(blocks[i]);
	vma_free(large);
	calls = os_call_count();
	EXPECT_EQ(alloc(512 * MIB), large);
	for (int i = 0; i < BLOCKS; i += 2)
		blocks[i] = alloc(2 * os_page_bytes());
	EXPECT_EQ(os_call_count(), calls);
	vma_free(large);
	for (int i = 0; i < BLOCKS; i++)
		vma_free(blocks[i]);
	expect_nothing_left();
}

TEST(fresh_memory_takes_the_place_of_the_oldest_that_is_kept)
{
	void *old, *young, *block;

	start();
	old = alloc_apart(8 * MIB);
	young = alloc_apart(8 * MIB);
	vma_free(old);
	vma_free(young);
	block = alloc_apart(12 * MIB);
	/* The peak is 16 MiB, the slack 2. */
	EXPECT_EQ(stats_now().cached_bytes, 6 * MIB);
	EXPECT_EQ(os_mapped_bytes() - mapped_at_start, 18 * MIB);
	EXPECT_EQ(alloc(6 * MIB), young);
	vma_free(young);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_growth_by_the_system_takes_the_place_of_what_is_kept)
{
	void *kept, *block;

	start();
	block = alloc_apart(32 * MIB);
	kept = alloc_apart(8 * MIB);
	vma_free(kept);
	block = vma_resize(block, 36 * MIB, true);
	EXPECT(block);
	EXPECT_EQ(stats_now().cached_bytes, 6 * MIB);
	vma_free(block);
	expect_nothing_left();
}
TEST(an_unused_cache_is_empty_after_some_ticks)
{
	enum {
		BLOCKS = 32,
	};
	void *blocks[BLOCKS];

	start();
	for (int begin = 0; begin < WINDOW_TICKS; begin++) {
		for (int i = 0; i < BLOCKS; i++)
			blocks[i] = alloc(MIB);
		for (int i = 0; i < BLOCKS; i++)
			vma_free(blocks[i]);
		for (int i = 1; i < KEPT_TICKS; i++) {
			next_tick();
			EXPECT_EQ(stats_now().cached_bytes, BLOCKS * MIB);
		}
		next_tick();
		EXPECT_EQ(stats_now().cached_bytes, 0);
		EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
		next_tick();
		if (begin % 2)
			next_tick();
	}
}

TEST(a_peak_is_forgotten_though_all_that_is_kept_is_in_use)
{
	void *small, *large;

	start();
	small = alloc_apart(8 * MIB);
	large = alloc_apart(16 * MIB);
	vma_free(small);
	vma_free(large);
	EXPECT_EQ(stats_now().cached_bytes, 24 * MIB);
	for (int i = 0; i < WINDOW_TICKS; i++) {
		vma_free(alloc(8 * MIB));
		vma_free(alloc(16 * MIB));
		next_tick();
	}
	/* Never more than 16 MiB were live of late. */
	EXPECT_EQ(stats_now().cached_bytes, 18 * MIB);
	expect_nothing_left();
}
TEST(a_long_pause_empties_the_cache_at_once)
{
	start();
	vma_free(alloc(8 * MIB));
	vma_free(alloc(4 * MIB));
	vma_tick(now_ms + 3600 * 1000);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
	expect_nothing_left();
}

TEST(a_tick_takes_the_oldest)
{
	void *old, *young;

	start();
	old = alloc_apart(4 * MIB);
	young = alloc_apart(MIB);
	vma_free(old);
	next_tick();
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

TEST(a_smaller_size_keeps_the_tail_for_others)
{
	unsigned char *block;
	size_t calls;

	start();
	block = alloc(8 * MIB);
	memset(block, 7, 8 * MIB);
	calls = os_call_count();
	EXPECT_EQ(vma_resize(block, 2 * MIB + 1, true), block);
	EXPECT_EQ(vma_size(block), 2 * MIB + os_page_bytes());
	EXPECT_EQ(stats_now().cached_bytes, 6 * MIB - os_page_bytes());
	EXPECT(is_filled(block, 2 * MIB + 1, 7));
	EXPECT_EQ(vma_resize(block, MIB, false), block);
	EXPECT_EQ(vma_size(block), MIB);
	EXPECT_EQ(stats_now().cached, 1);
	EXPECT_EQ(stats_now().bytes, MIB);
	EXPECT_EQ(vma_alloc(7 * MIB, 1, SM_ZERO), block + MIB);
	EXPECT_EQ(os_call_count(), calls);
	EXPECT(is_filled(block + MIB, 7 * MIB, 0));
	EXPECT(is_filled(block, MIB, 7));
	vma_free(block + MIB);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_block_grows_into_what_is_kept_behind_it)
{
	unsigned char *block;
	size_t calls;

	start();
	block = alloc(16 * MIB);
	memset(block, 1, 16 * MIB);
	vma_free(block);
	EXPECT_EQ(alloc(2 * MIB), block);
	memset(block, 7, 2 * MIB);
	calls = os_call_count();
	EXPECT_EQ(vma_resize(block, 3 * MIB, false), block);
	EXPECT_EQ(vma_size(block), 3 * MIB);
	EXPECT_EQ(vma_resize(block, 3 * MIB + 1, true), block);
	EXPECT_EQ(vma_size(block), 3 * MIB + 3 * MIB / 8); /* with room */
	EXPECT_EQ(stats_now().cached_bytes + vma_size(block), 16 * MIB);
	EXPECT_EQ(vma_resize(block, 15 * MIB, true), block);
	EXPECT_EQ(vma_resize(block, 16 * MIB, true), block);
	EXPECT_EQ(stats_now().cached, 0);
	EXPECT_EQ(os_call_count(), calls);
	EXPECT(is_filled(block, 2 * MIB, 7));
	EXPECT(!vma_resize(block, 17 * MIB, false) || os_call_count() > calls);
	vma_free(block);
	expect_nothing_left();
}

TEST(a_block_does_not_grow_into_a_live_neighbour)
{
	unsigned char *block, *next;

	start();
	block = alloc(16 * MIB);
	vma_free(block);
	EXPECT_EQ(alloc(2 * MIB), block);
	next = alloc(2 * MIB);
	EXPECT_EQ(next, block + 2 * MIB);
	memset(next, 5, 2 * MIB);
	EXPECT(!vma_resize(block, 4 * MIB, false));
	EXPECT_EQ(vma_size(block), 2 * MIB);
	EXPECT(is_filled(next, 2 * MIB, 5));
	/* It's better copied to what is behind the neighbour. */
	EXPECT(!vma_resize(block, 4 * MIB, true));
	EXPECT_EQ(alloc(4 * MIB), next + 2 * MIB);
	vma_free(block);
	vma_free(next);
	vma_free(next + 2 * MIB);
	expect_nothing_left();
}

TEST(a_block_that_the_kernel_has_in_pieces_is_not_lost)
{
	unsigned char *block;

	start();
	block = alloc_apart(8 * MIB);
	memset(block, 7, 8 * MIB);
	/* What mremap(2) refuses: two areas of different attributes. */
	EXPECT_EQ(madvise(block, 4 * MIB, MADV_DONTFORK), 0);
	EXPECT(!vma_resize(block, 9 * MIB, true));
	EXPECT_EQ(vma_size(block), 8 * MIB);
	EXPECT(is_filled(block, 8 * MIB, 7));
	vma_check();
	vma_free(block);
	EXPECT_EQ(vma_alloc(8 * MIB, 1, SM_ZERO), block);
	EXPECT(is_filled(block, 8 * MIB, 0));
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
	EXPECT(!vma_alloc(8 * MIB, 1, SM_NOWAIT)); /* it counts as fresh */
	EXPECT_EQ(vma_alloc(8 * MIB, 1, SM_ZERO), block);
	EXPECT(is_filled(block, 8 * MIB, 0));
	memset(block, 0xff, 8 * MIB);
	vma_free(block);
	EXPECT_EQ(vma_alloc(2 * MIB, 1, SM_ZERO), block);
	EXPECT(is_filled(block, 2 * MIB, 0));
	vma_free(block);
	expect_nothing_left();
}

TEST(a_stranded_mapping_does_not_merge)
{
	unsigned char *block;

	start();
	block = alloc(16 * MIB);
	memset(block, 0xff, 16 * MIB);
	vma_free(block);
	EXPECT_EQ(alloc(8 * MIB), block);
	os_fail_nth(1, 1);
	EXPECT_EQ(vma_trim(), 0);
	os_fail_nth(0, 0);
	memset(block, 0xff, 8 * MIB);
	EXPECT(!vma_resize(block, 9 * MIB, false));
	vma_free(block);
	EXPECT_EQ(stats_now().cached, 2);
	EXPECT_EQ(vma_alloc(8 * MIB, 1, SM_ZERO), block);
	EXPECT(is_filled(block, 8 * MIB, 0));
	EXPECT_EQ(vma_alloc(8 * MIB, 1, SM_ZERO), block + 8 * MIB);
	EXPECT(is_filled(block + 8 * MIB, 8 * MIB, 0));
	vma_free(block);
	vma_free(block + 8 * MIB);
	EXPECT_EQ(stats_now().cached, 1);
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

enum {
	TWINS = 16,
	OPERATIONS = 3000,
};

/* What the test knows of a block. */
struct twin {
	unsigned char *start; /* NULL: none */
	size_t size;
	unsigned char stamp; /* in its first byte of every 16th page, and its
				last */
};

static uint64_t random_state;
/* The most bytes that were live in each of the last ticks, this one first. */
static size_t peaks[WINDOW_TICKS];

static size_t draw(size_t below)
{
	return test_random(&random_state) % below;
}

static void stamp(struct twin *twin)
{
	twin->stamp = (unsigned char)test_random(&random_state);
	for (size_t i = 0; i < twin->size; i += 16 * os_page_bytes())
		twin->start[i] = twin->stamp;
	twin->start[twin->size - 1] = twin->stamp;
}

static void expect_stamp(const struct twin *twin, size_t size)
{
	for (size_t i = 0; i < min_size(size, twin->size);
	     i += 16 * os_page_bytes())
		EXPECT_EQ(twin->start[i], twin->stamp);
	if (size >= twin->size)
		EXPECT_EQ(twin->start[twin->size - 1], twin->stamp);
}

static void alloc_twin(struct twin *twin, size_t size)
{
	size_t align = draw(4) ? 1 : (size_t)1 << draw(23);
	bool zero = draw(4) == 0;

	twin->start = vma_alloc(size, align, zero ? SM_ZERO : 0);
	twin->size = size;
	if (!twin->start)
		return;
	EXPECT_EQ((uintptr_t)twin->start & (align - 1), 0);
	EXPECT(!zero || is_filled(twin->start, vma_size(twin->start), 0));
	stamp(twin);
}

static void resize_twin(struct twin *twin, size_t size)
{
	bool may_move = draw(2);
	unsigned char *start = vma_resize(twin->start, size, may_move);

	if (start) {
		EXPECT(may_move || start == twin->start);
		twin->start = start;
	}
	expect_stamp(twin, start ? size : SIZE_MAX);
	if (start) {
		twin->size = size;
		stamp(twin);
	}
}

static void tick_twins(void)
{
	next_tick();
	memmove(peaks + 1, peaks, sizeof(peaks) - sizeof(*peaks));
	peaks[0] = 0;
}

static void play(struct twin *twin)
{
	size_t size = 1 + draw(draw(2) ? 8 * MIB : 64 * os_page_bytes());

	if (draw(50) == 0) {
		tick_twins();
	} else if (!twin->start) {
		alloc_twin(twin, size);
	} else if (draw(2)) {
		resize_twin(twin, size);
	} else {
		expect_stamp(twin, SIZE_MAX);
		EXPECT(vma_free(twin->start));
		twin->start = NULL;
	}
}

/* What is mapped is what is live and kept, and no more than was live. */
static void expect_bound(const struct twin *twins)
{
	size_t live = 0, most = 0;

	for (int i = 0; i < TWINS; i++)
		live += twins[i].start ? vma_size(twins[i].start) : 0;
	peaks[0] = max_size(peaks[0], live);
	for (int i = 0; i < WINDOW_TICKS; i++)
		most = max_size(most, peaks[i]);
	EXPECT_EQ(stats_now().bytes, live);
	EXPECT(live + vma_state.recent.bytes <= most + SLACK_BYTES);
	EXPECT_EQ(os_mapped_bytes() - mapped_at_start,
		  live + stats_now().cached_bytes);
}

static void play_all(bool may_fail)
{
	static struct twin twins[TWINS];

	for (int i = 0; i < OPERATIONS; i++) {
		if (may_fail && draw(4) == 0)
			os_fail_nth(1 + draw(3), 1 + draw(3));
		play(&twins[draw(TWINS)]);
		os_fail_nth(0, 0);
		expect_bound(twins);
	}
	for (int i = 0; i < TWINS; i++) {
		if (twins[i].start) {
			expect_stamp(&twins[i], SIZE_MAX);
			EXPECT(vma_free(twins[i].start));
		}
	}
	expect_nothing_left();
}

TEST(at_random_no_byte_is_lost_and_the_peak_is_never_exceeded)
{
	start();
	random_state = test_seed();
	play_all(false);
}

TEST(the_same_where_system_calls_fail)
{
	start();
	random_state = test_seed();
	play_all(true);
}

TEST(check_sees_wrong_counters)
{
	start();
	vma_free(alloc_apart(MIB));
	alloc(2 * MIB);
	vma_check();
	vma_state.bytes += os_page_bytes();
	EXPECT_PANIC("bytes == vma->bytes", vma_check());
	vma_state.bytes -= os_page_bytes();
	vma_state.recent.bytes += os_page_bytes();
	EXPECT_PANIC("bytes == shelf->bytes", vma_check());
	vma_state.recent.bytes -= os_page_bytes();
	vma_state.stranded.count++;
	EXPECT_PANIC("count == shelf->count", vma_check());
	vma_state.stranded.count--;
	vma_state.hits = vma_state.allocs + 1;
	EXPECT_PANIC("hits", vma_check());
}

TEST(check_sees_what_is_above_the_limit)
{
	start();
	vma_free(alloc(8 * MIB));
	vma_check();
	vma_state.peak = 5 * MIB;
	EXPECT_PANIC("vma_most_locked", vma_check());
}

TEST(check_sees_a_mapping_in_the_wrong_bin)
{
	struct mapping *mapping;

	start();
	vma_free(alloc_apart(8 * MIB));
	vma_free(alloc(MIB)); /* the last one is in none */
	vma_trim();
	vma_free(alloc_apart(8 * MIB));
	vma_check();
	mapping = vma_state.bins.last;
	EXPECT(mapping);
	vma_state.bins.last = NULL;
	EXPECT_PANIC("count == vma->recent.count", vma_check());
	vma_state.bins.last = mapping;
	mapping->is_zero = true;
	EXPECT_PANIC("is_zero", vma_check());
}

TEST(check_sees_mappings_that_overlap)
{
	struct mapping mapping = { 0 };
	struct list surplus;
	char *block;

	start();
	block = alloc(2 * MIB);
	list_init(&surplus);
	list_init(&mapping.by_start);
	mapping.node.key = (uintptr_t)block + MIB;
	mapping.bytes = MIB;
	lock_acquire(&vma_state.lock);
	vma_insert_locked(&mapping, &surplus);
	lock_release(&vma_state.lock);
	EXPECT_PANIC("node.key >= end", vma_check());
	lock_acquire(&vma_state.lock);
	vma_remove_locked(&mapping);
	list_add_head(&vma_state.stranded.mappings, &mapping.shelf);
	lock_release(&vma_state.lock);
	EXPECT_PANIC("mapping->node.key", vma_check());
}
