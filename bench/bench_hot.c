/* SPDX-License-Identifier: MIT */
/* The hot paths: what malloc and free cost when they hit. */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

enum {
	MIXED_LIVE = 128,
	MANY_LIVE = 1000000,
	CHOICES = 1 << 16, /* drawn beforehand, so as not to measure that */
};

/* One size, freed at once. */
static void pair_64(struct bench *bench)
{
	while (bench_next(bench)) {
		void *block = malloc(64);

		bench_use(block);
		free(block);
	}
}
BENCHMARK_IN_C(pair_64)

/* One of 128 live blocks, replaced by one of another size. */
static void replace_128_mixed(struct bench *bench)
{
	static const size_t sizes[] = { 16,  24,  40,  64,   100,
					200, 333, 500, 1000, 2000 };
	static uint8_t places[CHOICES], kinds[CHOICES];
	void *live[MIXED_LIVE];
	uint64_t random = 88172645463325252u;
	unsigned int i = 0;

	for (int k = 0; k < CHOICES; k++) {
		places[k] = bench_random(&random) % MIXED_LIVE;
		kinds[k] = bench_random(&random) % 10;
	}
	for (int k = 0; k < MIXED_LIVE; k++)
		live[k] = malloc(sizes[kinds[k]]);
	while (bench_next(bench)) {
		void **place = &live[places[i]];

		free(*place);
		*place = malloc(sizes[kinds[i]]);
		bench_use(*place);
		i = (i + 1) % CHOICES;
	}
	for (int k = 0; k < MIXED_LIVE; k++)
		free(live[k]);
}
BENCHMARK_IN_C(replace_128_mixed)

/* One of a million live blocks: none of them is in a cache. */
static void replace_million_64(struct bench *bench)
{
	void **live = malloc(MANY_LIVE * sizeof(*live));
	uint64_t random = 88172645463325252u;

	for (int k = 0; k < MANY_LIVE; k++)
		live[k] = memset(malloc(64), 1, 64);
	while (bench_next(bench)) {
		void **place = &live[bench_random(&random) % MANY_LIVE];

		free(*place);
		*place = malloc(64);
		*(char *)*place = 1;
	}
	for (int k = 0; k < MANY_LIVE; k++)
		free(live[k]);
	free(live);
}
BENCHMARK_IN_C(replace_million_64)
