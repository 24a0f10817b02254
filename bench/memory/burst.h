/* SPDX-License-Identifier: MIT */
/* A burst of allocations, freed in random order; and the light work between. */
#ifndef BENCH_MEMORY_BURST_H
#define BENCH_MEMORY_BURST_H

#include "draw.h"
#include "watch.h"

#include <stdlib.h>

/* The slots are the program's own, and so is the order they are filled in. */
struct burst {
	void **slots;
	uint32_t *order;
	uint32_t *sizes;
	size_t count;
	size_t bytes;
};

/* A burst of @bytes in all, in blocks of @mix's sizes. */
static inline struct burst burst_plan(uint64_t *random, const struct mix *mix,
				      size_t bytes)
{
	struct burst burst = { .count = 0 };
	uint64_t again = *random;

	for (; burst.bytes < bytes; burst.count++)
		burst.bytes += draw_size(random, mix);
	burst.slots = own_table(burst.count * sizeof(*burst.slots));
	burst.order = own_table(burst.count * sizeof(*burst.order));
	burst.sizes = own_table(burst.count * sizeof(*burst.sizes));
	for (size_t i = 0; i < burst.count; i++)
		burst.sizes[i] = (uint32_t)draw_size(&again, mix);
	draw_order(random, burst.order, burst.count);
	return burst;
}

static inline void burst_allocate(struct burst *burst)
{
	for (size_t i = 0; i < burst->count; i++)
		burst->slots[burst->order[i]] = touched(burst->sizes[i]);
}

static inline void burst_free(struct burst *burst)
{
	for (size_t i = 0; i < burst->count; i++)
		free(burst->slots[i]);
}

/*
 * Light work, as of a server nearly idle: some records are live, four of them
 * are replaced every millisecond or so, and the rest of the time is slept.
 */
enum {
	LIGHT_LIVE = 256,
	LIGHT_REPLACED = 4,
	LIGHT_REST_NS = 1000000,
};

struct light {
	uint64_t random;
	struct {
		void *block;
		size_t bytes;
	} records[LIGHT_LIVE];
	size_t bytes;
	size_t next;
};

static inline void light_replace(struct light *light)
{
	size_t i = light->next++ % LIGHT_LIVE;

	free(light->records[i].block);
	light->bytes -= light->records[i].bytes;
	light->records[i].bytes = draw_size(&light->random, &mix_usual);
	light->records[i].block = touched(light->records[i].bytes);
	light->bytes += light->records[i].bytes;
}

/* Light work for so many milliseconds, a point of the curve every ten. */
static inline void light_work(struct light *light, unsigned int ms)
{
	uint64_t start = now_ns(), end = start + ms * UINT64_C(1000000);
	uint64_t point = start;

	for (uint64_t now = start; now < end; now = now_ns()) {
		for (int i = 0; i < LIGHT_REPLACED; i++)
			light_replace(light);
		if (now >= point) {
			curve_point(light->bytes);
			point += 10 * UINT64_C(1000000);
		}
		sleep_ns(LIGHT_REST_NS);
	}
	curve_point(light->bytes);
}

#endif
