/* SPDX-License-Identifier: MIT */
/* Does the allocator put small objects of two threads into one cache line? An
 * operation is a write. */
#include <stdlib.h>

#include "shim.h"
#include "team.h"

enum {
	WRITES = 500, /* to each counter */
};

static void *gifts[TEAM_MAX];

/* Each thread takes counters, counts and gives them back, beginning with
 * @counter. It counts as a reference count does, which needs the cache line
 * each time: plain writes may gather in the core while another one has it. */
static void count(struct member *self, uint64_t *counter)
{
	for (int64_t i = 0; i < self->operations; i += WRITES) {
		*counter = 0;
		for (int k = 0; k < WRITES; k++)
			__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
		free(counter);
		counter = malloc(sizeof(*counter));
	}
	free(counter);
}

/* Nothing was shared before. */
static void count_in_own(struct member *self)
{
	count(self, malloc(sizeof(uint64_t)));
}

static void active(struct bench *bench)
{
	team_run(bench, count_in_own);
}

/* The first objects are neighbours, and were taken by another thread. */
static void count_in_gift(struct member *self)
{
	count(self, gifts[self->index]);
}

static void passive(struct bench *bench)
{
	for (int i = 0; i < bench->argument; i++)
		gifts[i] = malloc(sizeof(uint64_t));
	team_run(bench, count_in_gift);
}

static const struct bench_row rows[] = {
	{ "sharing/active/2", active, 2, WRITES * 80000 },
	{ "sharing/active/8", active, 8, WRITES * 80000 },
	{ "sharing/passive/2", passive, 2, WRITES * 80000 },
	{ "sharing/passive/8", passive, 8, WRITES * 80000 },
};
BENCH_ROWS(rows)
