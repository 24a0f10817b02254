/* SPDX-License-Identifier: MIT */
/* Blocks that one thread takes and another one gives back, handed over in
 * batches through queues. */
#include <stdlib.h>

#include "choices.h"
#include "queue.h"
#include "shim.h"
#include "team.h"

enum {
	RING_BATCHES = 4, /* on their way in a ring, for each thread */
};

static struct queue queues[TEAM_MAX];

static void take_batch(struct batch *batch, unsigned int choice)
{
	for (unsigned int i = 0; i < BATCH; i++)
		batch->blocks[i] = choices_take(choice + i);
}

/* The receiver looks at what it got. */
static void free_batch(struct batch *batch)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		if (*(volatile char *)batch->blocks[i] != 1)
			abort();
		free(batch->blocks[i]);
	}
}

static void produce(struct queue *queue, int64_t blocks, unsigned int choice)
{
	struct batch batch;

	for (int64_t i = 0; i < blocks; i += BATCH) {
		take_batch(&batch, choice + i);
		queue_put(queue, &batch);
	}
}

static void consume(struct queue *queue, int64_t blocks)
{
	struct batch batch;

	for (int64_t i = 0; i < blocks; i += BATCH) {
		queue_get(queue, &batch);
		free_batch(&batch);
	}
}

/* Pairs of a producer and a consumer. An operation is a block, which is
 * twice as many as a member's share: it takes two for one. */
static void be_pair(struct member *self)
{
	struct queue *queue = &queues[self->index / 2];
	int64_t blocks = self->operations * 2;

	if (self->index % 2 == 0)
		produce(queue, blocks, self->index * CHOICES_APART);
	else
		consume(queue, blocks);
}

/* One thread takes all, the others give back. */
static void be_fan(struct member *self)
{
	int others = self->size - 1;
	int64_t blocks = self->operations * self->size / others;
	struct batch batch;

	if (self->index > 0) {
		consume(&queues[self->index - 1], blocks);
		return;
	}
	for (int64_t i = 0; i < blocks; i += BATCH)
		for (int k = 0; k < others; k++) {
			take_batch(&batch, i + k * CHOICES_APART);
			queue_put(&queues[k], &batch);
		}
}

/* The others take, one thread gives all back. */
static void be_funnel(struct member *self)
{
	int others = self->size - 1;
	int64_t blocks = self->operations * self->size / others;
	struct batch batch;

	if (self->index > 0) {
		produce(&queues[self->index - 1], blocks,
			self->index * CHOICES_APART);
		return;
	}
	for (int64_t i = 0; i < blocks; i += BATCH)
		for (int k = 0; k < others; k++) {
			queue_get(&queues[k], &batch);
			free_batch(&batch);
		}
}

/* What a thread gets from the one before it, it gives back, and hands as many
 * new blocks on to the one after it. */
static void be_link(struct member *self)
{
	struct queue *before = &queues[self->index];
	struct queue *after = &queues[(self->index + 1) % self->size];
	unsigned int choice = self->index * CHOICES_APART;
	struct batch batch;

	for (int64_t i = 0; i < self->operations; i += BATCH) {
		queue_get(before, &batch);
		free_batch(&batch);
		take_batch(&batch, choice + i);
		queue_put(after, &batch);
	}
}

static void prepare(struct bench *bench)
{
	choices_draw();
	for (int i = 0; i < bench->argument; i++)
		queue_init(&queues[i]);
}

static void pairs(struct bench *bench)
{
	prepare(bench);
	team_run(bench, be_pair);
}

static void fan(struct bench *bench)
{
	prepare(bench);
	team_run(bench, be_fan);
}

static void funnel(struct bench *bench)
{
	prepare(bench);
	team_run(bench, be_funnel);
}

static void ring(struct bench *bench)
{
	struct batch batch;

	prepare(bench);
	for (int i = 0; i < bench->argument * RING_BATCHES; i++) {
		take_batch(&batch, i * BATCH);
		queue_put(&queues[i % bench->argument], &batch);
	}
	team_run(bench, be_link);
	for (int i = 0; i < bench->argument; i++)
		consume(&queues[i], (int64_t)queues[i].count * BATCH);
}

static const struct bench_row rows[] = {
	{ "queue/2", pairs, 2, BATCH * 40000 },
	{ "queue/8", pairs, 8, BATCH * 40000 },
	{ "queue/64", pairs, 64, BATCH * 40000 },
	{ "fan/4", fan, 4, BATCH * 40000 },
	{ "fan/64", fan, 64, BATCH * 40000 },
	{ "funnel/4", funnel, 4, BATCH * 40000 },
	{ "funnel/64", funnel, 64, BATCH * 40000 },
	{ "ring/2", ring, 2, BATCH * 40000 },
	{ "ring/8", ring, 8, BATCH * 40000 },
	{ "ring/64", ring, 64, BATCH * 40000 },
};
BENCH_ROWS(rows)
