/* SPDX-License-Identifier: MIT */
/* Mixes of sizes, and orders, drawn at random: the same in every run. */
#ifndef BENCH_MEMORY_DRAW_H
#define BENCH_MEMORY_DRAW_H

#include "random.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A mix of sizes: ranges with a weight each; weights add up to 1000. Three of
 * four sizes are multiples of 8, as those of structs are; the others are any
 * number of bytes, as those of strings.
 */
struct range {
	unsigned int weight;
	unsigned int low, high; /* bytes, both inclusive */
};

enum {
	MIX_RANGES = 8,
	MIX_WEIGHT = 1000,
};

struct mix {
	struct range ranges[MIX_RANGES];
};

/* What programs ask for, by and large: mostly small, mean some 210 bytes. */
static const struct mix mix_usual __attribute__((unused)) = { {
	{ 300, 16, 32 },
	{ 300, 33, 64 },
	{ 180, 65, 128 },
	{ 100, 129, 256 },
	{ 60, 257, 512 },
	{ 35, 513, 1024 },
	{ 20, 1025, 4096 },
	{ 5, 4097, 16384 },
} };

static inline size_t draw_size(uint64_t *random, const struct mix *mix)
{
	uint64_t number = bench_random(random);
	unsigned int weight = (unsigned int)(number >> 48) % MIX_WEIGHT;
	const struct range *range = mix->ranges;
	size_t size;

	while (weight >= range->weight)
		weight -= range++->weight;
	size = range->low + (uint32_t)number % (range->high - range->low + 1);
	return (number >> 40) % 4 ? (size + 7) / 8 * 8 : size;
}

/* Fill @order with the numbers below @count, in random order. */
static inline void draw_order(uint64_t *random, uint32_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t other = bench_below(random, (uint32_t)i + 1);

		order[i] = order[other];
		order[other] = (uint32_t)i;
	}
}

#endif
