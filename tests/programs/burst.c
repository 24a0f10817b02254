/* SPDX-License-Identifier: MIT */
/*
 * 1 GiB of small blocks, freed in another order: all but 64 MiB goes back to
 * the system by itself while the program does next to nothing.
 */
#include "limits.h"

#include <malloc.h>
#include <sys/mman.h>
#include <time.h>

enum {
	BLOCK_MAX = 512,
	BLOCKS_MAX = 8 << 20,
	TRIES = 5000, /* of 5 ms */
};

/* The blocks; mapped, so that its memory is not the allocator's. */
static char **blocks;
static size_t count;

static void allocate_blocks(void)
{
	uint64_t state = 1;

	for (size_t sum = 0; sum < GIB && count < BLOCKS_MAX; count++) {
		size_t size = next_number(&state) % BLOCK_MAX + 1;

		blocks[count] = malloc(size);
		if (!blocks[count])
			abort();
		memset(blocks[count], 1, size);
		sum += size;
	}
}

static void shuffle_blocks(void)
{
	uint64_t state = 2;

	for (size_t i = count - 1; i > 0; i--) {
		size_t j = next_number(&state) % (i + 1);
		char *block = blocks[i];

		blocks[i] = blocks[j];
		blocks[j] = block;
	}
}

/* A block now and then, until no more than @limit is resident, or for long. */
static void work_lightly(size_t limit)
{
	static const struct timespec rest = { .tv_nsec = 5000000 };

	for (int i = 0; i < TRIES && resident_bytes() >= limit; i++) {
		free(malloc((size_t)i % BLOCK_MAX));
		nanosleep(&rest, NULL);
	}
}

int main(void)
{
	size_t map_bytes = BLOCKS_MAX * sizeof(*blocks), peak, rest;

	require_preload();
	blocks = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (blocks == MAP_FAILED)
		return 1;
	allocate_blocks();
	shuffle_blocks();
	peak = resident_bytes();
	expect_limit(peak >= GIB, "with all blocks, at least", peak, GIB);

	for (size_t i = 0; i < count; i++)
		free(blocks[i]);
	munmap(blocks, map_bytes);
	work_lightly(64 * MIB);
	rest = resident_bytes();
	expect_limit(rest < 64 * MIB, "freed, before the trim", rest, 64 * MIB);
	malloc_trim(0);
	rest = resident_bytes();
	expect_limit(rest < 64 * MIB, "after the trim", rest, 64 * MIB);
	return 0;
}
