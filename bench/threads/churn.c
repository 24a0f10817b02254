/* SPDX-License-Identifier: MIT */
/* Every thread replaces blocks of its own: nothing is shared but the
 * allocator. */
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "shim.h"
#include "team.h"

enum {
	LIVE = 1024, /* in each thread */
	SIZE_STEP = 64,
};

/* Blocks of mixed sizes. */
static void replace_mixed(struct member *self)
{
	unsigned int choice = self->index * CHOICES_APART;
	void *live[LIVE] = { NULL };

	for (int64_t i = 0; i < self->operations; i++, choice++) {
		void **place = &live[choices_place[choice % CHOICES] % LIVE];

		free(*place);
		*place = choices_take(choice);
	}
	for (unsigned int i = 0; i < LIVE; i++)
		free(live[i]);
}

static void churn(struct bench *bench)
{
	choices_draw();
	team_run(bench, replace_mixed);
}

/* Blocks of one size, which no other of the first 16 threads uses. */
static void replace_own_size(struct member *self)
{
	size_t size = (size_t)(self->index % 16 + 1) * SIZE_STEP;
	unsigned int choice = self->index * CHOICES_APART;
	void *live[LIVE] = { NULL };

	for (int64_t i = 0; i < self->operations; i++, choice++) {
		void **place = &live[choices_place[choice % CHOICES] % LIVE];

		free(*place);
		*place = malloc(size);
		*(volatile char *)*place = 1;
	}
	for (unsigned int i = 0; i < LIVE; i++)
		free(live[i]);
}

static void distinct(struct bench *bench)
{
	choices_draw();
	team_run(bench, replace_own_size);
}

static const struct bench_row rows[] = {
	{ "churn/1", churn, 1, 10000000 },
	{ "churn/2", churn, 2, 16000000 },
	{ "churn/4", churn, 4, 16000000 },
	{ "churn/8", churn, 8, 16000000 },
	{ "churn/64", churn, 64, 16000000 },
	{ "distinct/1", distinct, 1, 20000000 },
	{ "distinct/2", distinct, 2, 32000000 },
	{ "distinct/4", distinct, 4, 32000000 },
	{ "distinct/8", distinct, 8, 32000000 },
	{ "distinct/16", distinct, 16, 32000000 },
	{ "distinct/32", distinct, 32, 32000000 },
	{ "distinct/64", distinct, 64, 32000000 },
};
BENCH_ROWS(rows)
