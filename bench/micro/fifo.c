/* SPDX-License-Identifier: MIT */
/* A queue of blocks of mixed sizes: what is taken is given back in turn. */
#include <stdlib.h>

#include "random.h"
#include "shim.h"

enum {
	CHOICES = 1 << 16,
	LIVE_MAX = 1 << 14,
};

static void fifo(struct bench *bench)
{
	static uint16_t sizes[CHOICES];
	static void *live[LIVE_MAX];
	unsigned int mask = bench->argument - 1, choice = 0;
	uint64_t random = BENCH_SEED;

	for (unsigned int i = 0; i < CHOICES; i++)
		sizes[i] = bench_mixed_size(&random);
	while (bench_next(bench)) {
		void **oldest = &live[choice & mask];

		free(*oldest);
		*oldest = malloc(sizes[choice]);
		*(volatile char *)*oldest = 1;
		choice = (choice + 1) % CHOICES;
	}
	for (unsigned int i = 0; i <= mask; i++) {
		free(live[i]);
		live[i] = NULL;
	}
}

static const struct bench_row rows[] = {
	{ "fifo/1024", fifo, 1 << 10, 10000000 },
	{ "fifo/16384", fifo, LIVE_MAX, 10000000 },
};
BENCH_ROWS(rows)
