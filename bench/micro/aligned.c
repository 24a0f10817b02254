/* SPDX-License-Identifier: MIT */
/* Blocks with an alignment; sixteen of them live. */
#include <stdlib.h>

#include "shim.h"

enum {
	LIVE = 16,
	LINE_BYTES = 64,
	PAGE_BYTES = 4096,
};

static void aligned(struct bench *bench, size_t size)
{
	void *live[LIVE] = { NULL };
	unsigned int oldest = 0;

	while (bench_next(bench)) {
		free(live[oldest]);
		if (posix_memalign(&live[oldest], bench->argument, size))
			abort();
		*(volatile char *)live[oldest] = 1;
		oldest = (oldest + 1) % LIVE;
	}
	for (unsigned int i = 0; i < LIVE; i++)
		free(live[i]);
}

/* Vectors and counters that are not to share a cache line. */
static void aligned_lines(struct bench *bench)
{
	aligned(bench, 3 * LINE_BYTES);
}

/* Buffers for direct input and output. */
static void aligned_pages(struct bench *bench)
{
	aligned(bench, 2 * PAGE_BYTES);
}

static const struct bench_row rows[] = {
	{ "aligned/64", aligned_lines, LINE_BYTES, 8000000 },
	{ "aligned/4096", aligned_pages, PAGE_BYTES, 3000000 },
};
BENCH_ROWS(rows)
