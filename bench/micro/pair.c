/* SPDX-License-Identifier: MIT */
/* A block is taken and given back at once: the cost of a hit. */
#include <stdlib.h>

#include "random.h"
#include "shim.h"

enum {
	CHOICES = 1 << 16,
	PAGE_BYTES = 4096,
};

/* Nobody writes to the block. */
static void pair(struct bench *bench)
{
	while (bench_next(bench)) {
		void *block = malloc(bench->argument);

		bench_use(block);
		free(block);
	}
}

/* Each page of the block is written to. */
static void pair_written(struct bench *bench)
{
	while (bench_next(bench)) {
		void *block = malloc(bench->argument);

		bench_write(block, bench->argument, PAGE_BYTES);
		free(block);
	}
}

/* Each block is of another size. */
static void pair_mixed(struct bench *bench)
{
	static uint16_t sizes[CHOICES];
	uint64_t random = BENCH_SEED;
	unsigned int choice = 0;

	for (unsigned int i = 0; i < CHOICES; i++)
		sizes[i] = bench_mixed_size(&random);
	while (bench_next(bench)) {
		void *block = malloc(sizes[choice]);

		choice = (choice + 1) % CHOICES;
		bench_use(block);
		free(block);
	}
}

static const struct bench_row rows[] = {
	{ "pair/8", pair, 8, 30000000 },
	{ "pair/64", pair, 64, 30000000 },
	{ "pair/512", pair, 512, 30000000 },
	{ "pair/4096", pair, 4096, 20000000 },
	{ "pair/32768", pair, 32768, 10000000 },
	{ "pair/262144", pair, 262144, 1000000 },
	{ "pair/1048576", pair, 1048576, 1000000 },
	{ "pair/8388608", pair, 8388608, 500000 },
	{ "pair/67108864", pair, 67108864, 50000 },
	{ "pair/mixed", pair_mixed, 0, 20000000 },
	{ "pair/written/1048576", pair_written, 1048576, 100000 },
	{ "pair/written/8388608", pair_written, 8388608, 300 },
	{ "pair/written/67108864", pair_written, 67108864, 12 },
};
BENCH_ROWS(rows)
