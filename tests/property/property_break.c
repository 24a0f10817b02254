/* SPDX-License-Identifier: MIT */
/*
 * Random life of a heap, next to a twin that is obviously right: a map with a
 * flag for each 16 bytes, searched from the start. The twin foretells the
 * address of every block, and each block holds a byte of its own that must be
 * there when it is freed.
 */
#include <slubmalloc/heap.h>

#include <errno.h>

#include "heap/break.h"
#include "test.h"

enum {
	UNIT = 16,
	LIMIT = 512 << 10,
	/* The first word is the first tag, the last one the end mark's. */
	UNITS = (LIMIT - 8) / UNIT,
	LIVE_MAX = 1000,
	ROUNDS = 4000,
};

struct horrible_block {
	unsigned char *bytes;
	size_t size;
	unsigned char fill;
};

static struct {
	bool used[UNITS + 1]; /* the last is never used */
	size_t len[UNITS];    /* of the block that starts there, in units */
	struct horrible_block live[LIVE_MAX];
	size_t count;
	unsigned char *start;
	unsigned char fills;
} twin;

static size_t units_for(size_t size)
{
	size_t units = (8 + size + UNIT - 1) / UNIT;

	return units < 2 ? 2 : units;
}

static size_t free_units_at(size_t at)
{
	size_t count = 0;

	while (at + count < UNITS && !twin.used[at + count])
		count++;
	return count;
}

/* Where the next block of @size goes; UNITS if it fits nowhere. */
static size_t foretell(size_t size)
{
	size_t at = 0;

	while (at < UNITS && free_units_at(at) < units_for(size))
		at += twin.used[at] ? 1 : free_units_at(at);
	return at;
}

/* What is left of a free block, below the break @end, stays with the block that
 * is cut from it if it is too small for one. */
static size_t units_taken(size_t at, size_t size, unsigned char *end)
{
	size_t units = units_for(size);
	size_t below_break = (size_t)(end - twin.start) / UNIT;
	size_t whole = min_size(at + free_units_at(at), below_break) - at;

	return whole == units + 1 ? units + 1 : units;
}

static void note_alloc(size_t at, size_t units, unsigned char *bytes,
		       size_t size)
{
	for (size_t i = 0; i < units; i++)
		twin.used[at + i] = true;
	twin.len[at] = units;
	twin.live[twin.count++] =
		(struct horrible_block){ bytes, size, ++twin.fills };
	memset(bytes, twin.fills, size);
}

static void note_free(size_t index)
{
	size_t at = (size_t)(twin.live[index].bytes - twin.start) / UNIT;

	for (size_t i = 0; i < twin.len[at]; i++)
		twin.used[at + i] = false;
	twin.live[index] = twin.live[--twin.count];
}

static void expect_filled(const unsigned char *bytes, size_t size, int fill)
{
	for (size_t i = 0; i < size; i++)
		EXPECT_EQ(bytes[i], fill);
}

/* Most blocks are small, some are of several pages, a few large. */
static size_t random_size(uint64_t *random)
{
	const size_t most[] = { 100, 100, 100, 1000, 1000, 10000, 200000 };

	return test_random(random) % most[test_random(random) % 7];
}

static void alloc_one(struct sm_heap *heap, uint64_t *random)
{
	const unsigned int flags[] = { 0, 0, SM_ZERO, SM_NOWAIT };
	unsigned int flag = flags[test_random(random) % 4];
	bool system_fails = test_random(random) % 8 == 0;
	size_t size = random_size(random), at = foretell(size);
	unsigned char *bytes, *end = sm_heap_sbrk(heap, 0);

	if (twin.count == LIVE_MAX)
		return;
	os_fail_nth(1, system_fails ? SIZE_MAX : 0);
	bytes = sm_heap_alloc(heap, size, flag);
	os_fail_nth(0, 0);
	if (!bytes) {
		EXPECT(at == UNITS || flag == SM_NOWAIT || system_fails);
		return;
	}
	EXPECT(at < UNITS);
	EXPECT_EQ(bytes, twin.start + at * UNIT);
	if (flag == SM_ZERO)
		expect_filled(bytes, size, 0);
	note_alloc(at, units_taken(at, size, end), bytes, size);
}

static void free_one(struct sm_heap *heap, uint64_t *random)
{
	struct horrible_block *block;
	size_t index;

	if (twin.count == 0)
		return;
	index = test_random(random) % twin.count;
	block = &twin.live[index];
	expect_filled(block->bytes, block->size, block->fill);
	sm_heap_free(heap, block->bytes);
	note_free(index);
}

static void reset_all(struct sm_heap *heap)
{
	char *start;

	sm_heap_reset(heap);
	memset(twin.used, 0, sizeof(twin.used));
	twin.count = 0;
	/* Leave something behind that must not be seen again. */
	start = sm_heap_sbrk(heap, LIMIT);
	expect_filled((unsigned char *)start, LIMIT, 0);
	memset(start, 0xa5, LIMIT);
	EXPECT_EQ(sm_heap_brk(heap, start), 0);
}

static void compare(struct sm_heap *heap)
{
	struct sm_heap_stats stats;
	size_t used = 0;

	heap_check(heap);
	sm_heap_stats(heap, &stats);
	for (size_t i = 0; i < UNITS; i++)
		used += twin.used[i];
	EXPECT_EQ(stats.blocks, twin.count);
	EXPECT_EQ(stats.used, used * UNIT);
	EXPECT(stats.size <= LIMIT);
}

static void live_randomly(uint64_t seed)
{
	struct sm_heap *heap = sm_heap_create(LIMIT);
	uint64_t random = seed;

	TEST_NOTE("seed %llu", (unsigned long long)seed);
	memset(&twin, 0, sizeof(twin));
	twin.start = (unsigned char *)sm_heap_sbrk(heap, 0) + UNIT;
	for (int i = 0; i < ROUNDS; i++) {
		/* The heap fills and empties in turns. */
		bool filling = i / 500 % 2 == 0;

		if (test_random(&random) % 1000 == 0)
			reset_all(heap);
		else if (test_random(&random) % 8 < (filling ? 5 : 3))
			alloc_one(heap, &random);
		else
			free_one(heap, &random);
		compare(heap);
	}
	sm_heap_destroy(heap);
}

TEST(blocks_go_where_a_naive_first_fit_puts_them)
{
	for (uint64_t seed = 0; seed < 5; seed++)
		live_randomly(test_seed() + seed);
}
