/* SPDX-License-Identifier: MIT */
/* Mappings: random operations, some of which fail, against stamped bytes. */
#include <slubmalloc/flags.h>

#include <pthread.h>

#include "vma/vma.h"

#include "test.h"

enum {
	BLOCKS = 24,
	OPERATIONS = 3000,
	THREADS = 4,
	THREAD_OPERATIONS = 1000,
	PAGES_MAX = 300,
};

/* A live block as its user sees it. */
struct block {
	unsigned char *start; /* NULL: none */
	size_t size;	      /* as asked for */
	unsigned char stamp;  /* in its first byte of each page, and its last */
};

/* Random numbers, and the blocks that they act on. */
struct player {
	struct block blocks[BLOCKS];
	uint64_t random;
	size_t operations;
	bool may_fail; /* make system calls fail */
};

static size_t draw(struct player *player, size_t below)
{
	return test_random(&player->random) % below;
}

/* Mostly a few pages, sometimes hundreds. */
static size_t draw_size(struct player *player)
{
	size_t pages =
		draw(player, 2) ? draw(player, PAGES_MAX) : draw(player, 16);

	return pages * os_page_bytes() + draw(player, os_page_bytes());
}

static void stamp_block(struct player *player, struct block *block)
{
	block->stamp = (unsigned char)test_random(&player->random);
	for (size_t i = 0; i < block->size; i += os_page_bytes())
		block->start[i] = block->stamp;
	if (block->size > 0)
		block->start[block->size - 1] = block->stamp;
}

/* The first @size bytes of @block are as they were left. */
static void expect_stamp(const struct block *block, size_t size)
{
	for (size_t i = 0; i < size; i += os_page_bytes())
		EXPECT_EQ(block->start[i], block->stamp);
	if (size == block->size && size > 0)
		EXPECT_EQ(block->start[size - 1], block->stamp);
}

static void expect_zero(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			FAIL("byte %zu of %zu is not zero", i, size);
	}
}

static void alloc_block(struct player *player, struct block *block)
{
	size_t size = draw_size(player);
	size_t align = (size_t)1 << draw(player, 24);
	unsigned int flags = draw(player, 3) == 0 ? SM_ZERO : 0;

	if (draw(player, 4) > 0)
		align = 1;
	if (draw(player, 4) == 0)
		flags |= SM_NOWAIT;
	block->start = vma_alloc(size, align, flags);
	if (!block->start)
		return;
	EXPECT_EQ((uintptr_t)block->start & (align - 1), 0);
	EXPECT(vma_size(block->start) >= size);
	if (flags & SM_ZERO)
		expect_zero(block->start, vma_size(block->start));
	block->size = size;
	stamp_block(player, block);
}

static void free_block(struct block *block)
{
	expect_stamp(block, block->size);
	EXPECT(vma_free(block->start));
	block->start = NULL;
}

static void resize_block(struct player *player, struct block *block)
{
	size_t size = draw_size(player), usable = vma_size(block->start);
	bool may_move = draw(player, 4) > 0;
	unsigned char *start = vma_resize(block->start, size, may_move);

	if (!start) {
		EXPECT_EQ(vma_size(block->start), usable);
		EXPECT(size > usable);
		expect_stamp(block, block->size);
		return;
	}
	EXPECT(may_move || start == block->start);
	EXPECT(vma_size(start) >= size);
	block->start = start;
	expect_stamp(block, min_size(size, block->size));
	block->size = size;
	stamp_block(player, block);
}

static void play_once(struct player *player)
{
	struct block *block = &player->blocks[draw(player, BLOCKS)];
	size_t dice = draw(player, 100);

	if (dice == 0)
		vma_trim();
	else if (dice == 1)
		vma_tick(os_coarse_ms());
	else if (!block->start)
		alloc_block(player, block);
	else if (dice < 50)
		resize_block(player, block);
	else
		free_block(block);
}

static void play(struct player *player)
{
	for (size_t i = 0; i < player->operations; i++) {
		EXPECT(gate_enter(GATE_BRIEFLY));
		if (player->may_fail && draw(player, 4) == 0)
			os_fail_nth(1 + draw(player, 4), 1 + draw(player, 3));
		play_once(player);
		os_fail_nth(0, 0);
		vma_check();
		gate_leave();
	}
	EXPECT(gate_enter(GATE_BRIEFLY));
	for (int i = 0; i < BLOCKS; i++) {
		if (player->blocks[i].start)
			free_block(&player->blocks[i]);
	}
	gate_leave();
}

/* Wake the layers below, and let them map what they need. */
static size_t start(void)
{
	const struct page_options options = { .window = (size_t)1 << 30,
					      .cpus = 1 };

	os_page_size_init(0);
	EXPECT(page_init(&options));
	EXPECT(gate_enter(GATE_BRIEFLY));
	vma_free(vma_alloc(1, 1, 0));
	vma_trim();
	gate_leave();
	return os_mapped_bytes();
}

static void expect_nothing_left(size_t mapped_at_start)
{
	struct vma_stats stats;

	EXPECT(gate_enter(GATE_BRIEFLY));
	vma_trim();
	vma_check();
	vma_stats(&stats);
	EXPECT_EQ(stats.count, 0);
	EXPECT_EQ(stats.cached, 0);
	EXPECT_EQ(os_mapped_bytes(), mapped_at_start);
	gate_leave();
}

TEST(random_operations_keep_the_bytes_and_leak_nothing)
{
	static struct player player = { .operations = OPERATIONS };
	size_t mapped_at_start = start();

	player.random = test_seed();
	play(&player);
	expect_nothing_left(mapped_at_start);
}

TEST(system_calls_that_fail_lose_no_byte_and_no_mapping)
{
	static struct player player = { .operations = OPERATIONS,
					.may_fail = true };
	size_t mapped_at_start = start();

	player.random = test_seed();
	play(&player);
	expect_nothing_left(mapped_at_start);
}

static void *play_in_thread(void *player)
{
	play(player);
	return NULL;
}

TEST(threads_do_not_disturb_each_other)
{
	static struct player players[THREADS];
	pthread_t threads[THREADS];
	size_t mapped_at_start = start();

	for (unsigned int i = 0; i < THREADS; i++) {
		players[i].operations = THREAD_OPERATIONS;
		players[i].random = test_seed() + i;
		EXPECT_EQ(pthread_create(&threads[i], NULL, play_in_thread,
					 &players[i]),
			  0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_nothing_left(mapped_at_start);
}
