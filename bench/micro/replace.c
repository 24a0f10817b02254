/* SPDX-License-Identifier: MIT */
/* One of many live blocks, a random one, is replaced by a new one. */
#include <stdlib.h>

#include "random.h"
#include "shim.h"

enum {
	LIVE_MAX = 1000000,
	CHOICES_MAX = 1 << 20,
	CHOICES_MIN = 1 << 16, /* few enough to stay out of the way */
	SAME_BYTES = 64,
};

/* What happens is drawn beforehand, so as not to measure that. */
static uint32_t places[CHOICES_MAX];
static uint16_t sizes[CHOICES_MAX];
static void *live[LIVE_MAX];

static void *take(size_t size)
{
	void *block = malloc(size);

	*(volatile char *)block = 1;
	return block;
}

static void replace(struct bench *bench, bool mixed)
{
	unsigned int count = bench->argument, choice = 0;
	unsigned int choices = count < CHOICES_MIN ? CHOICES_MIN : CHOICES_MAX;
	uint64_t random = BENCH_SEED;

	for (unsigned int i = 0; i < choices; i++) {
		places[i] = bench_below(&random, count);
		sizes[i] = mixed ? bench_mixed_size(&random) : SAME_BYTES;
	}
	for (unsigned int i = 0; i < count; i++)
		live[i] = take(sizes[i % choices]);
	while (bench_next(bench)) {
		void **place = &live[places[choice]];

		free(*place);
		*place = take(sizes[choice]);
		choice = (choice + 1) & (choices - 1);
	}
	for (unsigned int i = 0; i < count; i++)
		free(live[i]);
}

static void replace_same(struct bench *bench)
{
	replace(bench, false);
}

static void replace_mixed(struct bench *bench)
{
	replace(bench, true);
}

static const struct bench_row rows[] = {
	{ "replace/same/128", replace_same, 128, 20000000 },
	{ "replace/same/100000", replace_same, 100000, 6000000 },
	{ "replace/same/1000000", replace_same, 1000000, 2000000 },
	{ "replace/mixed/128", replace_mixed, 128, 10000000 },
	{ "replace/mixed/100000", replace_mixed, 100000, 4000000 },
	{ "replace/mixed/1000000", replace_mixed, 1000000, 1000000 },
};
BENCH_ROWS(rows)
