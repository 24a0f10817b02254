/* SPDX-License-Identifier: MIT */
/* Blocks that must be zero, used as programs do, and given back. */
#include <stdlib.h>

#include "shim.h"

enum {
	LINE_BYTES = 64,
	PAGE_BYTES = 4096,
};

/* All of the block is used. */
static void calloc_full(struct bench *bench)
{
	while (bench_next(bench)) {
		void *block = calloc(1, bench->argument);

		bench_write(block, bench->argument, LINE_BYTES);
		free(block);
	}
}

/* A table of which only a few entries are ever used: a sixteenth of the pages,
 * here and there. */
static void calloc_sparse(struct bench *bench)
{
	while (bench_next(bench)) {
		void *block = calloc(1, bench->argument);

		bench_write(block, bench->argument, 16 * PAGE_BYTES);
		free(block);
	}
}

static const struct bench_row rows[] = {
	{ "calloc/64", calloc_full, 64, 30000000 },
	{ "calloc/4096", calloc_full, 4096, 3000000 },
	{ "calloc/262144", calloc_full, 262144, 10000 },
	{ "calloc/4194304", calloc_full, 4194304, 400 },
	{ "calloc/sparse/4194304", calloc_sparse, 4194304, 2000 },
};
BENCH_ROWS(rows)
