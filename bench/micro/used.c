/* SPDX-License-Identifier: MIT */
/* What programs do with blocks, too: write all of them, follow pointers through
 * them, and use other memory meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "shim.h"

enum {
	CHOICES = 1 << 16,
	LIVE = 20000,
	NODES = 50000,
	DATA_BYTES = 16 << 20, /* more than a core's own caches hold */
	STRIDE_BYTES = 4096,
	LINE_BYTES = 64,
};

struct node {
	struct node *next;
	uint64_t value[5];
};

static uint16_t places[CHOICES], sizes[CHOICES];
static void *live[LIVE];

static void draw_choices(void)
{
	uint64_t random = BENCH_SEED;

	for (unsigned int i = 0; i < CHOICES; i++) {
		places[i] = bench_below(&random, LIVE);
		sizes[i] = bench_mixed_size(&random);
	}
}

static void free_live(void)
{
	for (unsigned int i = 0; i < LIVE; i++) {
		free(live[i]);
		live[i] = NULL;
	}
}

/* One of many blocks is replaced, and the new one filled. */
static void used_filled(struct bench *bench)
{
	unsigned int choice = 0;

	draw_choices();
	while (bench_next(bench)) {
		void **place = &live[places[choice]];

		free(*place);
		*place = memset(malloc(sizes[choice]), 1, sizes[choice]);
		bench_use(*place);
		choice = (choice + 1) % CHOICES;
	}
	free_live();
}

/* One of many blocks is replaced after 4 KiB of other data have been read: the
 * allocator's own data are in no near cache. */
static void used_cold(struct bench *bench)
{
	static char data[DATA_BYTES];
	unsigned int choice = 0, sum = 0;
	size_t offset = 0;

	draw_choices();
	memset(data, 1, sizeof(data));
	while (bench_next(bench)) {
		void **place = &live[places[choice]];

		for (size_t i = 0; i < STRIDE_BYTES; i += LINE_BYTES)
			sum += data[offset + i];
		offset = (offset + 5 * STRIDE_BYTES) % DATA_BYTES;
		free(*place);
		*place = malloc(sizes[choice]);
		*(volatile char *)*place = sum;
		choice = (choice + 1) % CHOICES;
	}
	free_live();
}

/* Take @count nodes and give half of them back, in no order: every other place
 * is free then. The first half of @blocks stays. */
static void scatter(struct node *blocks[], unsigned int count)
{
	uint64_t random = BENCH_SEED;

	for (unsigned int i = 0; i < count; i++)
		blocks[i] =
			memset(malloc(sizeof(**blocks)), 1, sizeof(**blocks));
	for (unsigned int i = count - 1; i > 0; i--) {
		unsigned int other = bench_below(&random, i + 1);
		struct node *block = blocks[i];

		blocks[i] = blocks[other];
		blocks[other] = block;
	}
	for (unsigned int i = count / 2; i < count; i++)
		free(blocks[i]);
}

/* A list is built where others have been, walked and dropped: how near to each
 * other are blocks that are taken one after the other? An operation is a
 * node. */
static void used_list(struct bench *bench)
{
	static struct node *blocks[4 * NODES];
	uint64_t sum = 0;

	scatter(blocks, 4 * NODES);
	while (bench_next_burst(bench, NODES)) {
		struct node *list = NULL, *node;

		for (unsigned int i = 0; i < NODES; i++) {
			node = malloc(sizeof(*node));
			node->next = list;
			node->value[0] = i;
			list = node;
		}
		for (int walk = 0; walk < 2; walk++)
			for (node = list; node; node = node->next)
				sum += node->value[0];
		while (list) {
			node = list;
			list = node->next;
			free(node);
		}
		bench_use(&sum);
	}
	for (unsigned int i = 0; i < 2 * NODES; i++)
		free(blocks[i]);
}

static const struct bench_row rows[] = {
	{ "used/filled", used_filled, 0, 4000000 },
	{ "used/cold", used_cold, 0, 1000000 },
	{ "used/list", used_list, 0, NODES * 60 },
};
BENCH_ROWS(rows)
