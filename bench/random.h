/* SPDX-License-Identifier: MIT */
/* Random numbers and random sizes of blocks, the same in every run. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_SEED 88172645463325252u

enum {
	BENCH_SIZE_MAX = 65528, /* of bench_mixed_size() */
};

/* The next number after @state (xorshift64), which is not 0. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A number below @limit. */
static inline uint32_t bench_below(uint64_t *state, uint32_t limit)
{
	return (bench_random(state) >> 32) * limit >> 32;
}

/*
 * A size as programs ask for: a hump on a logarithmic scale with a long tail,
 * all multiples of eight. The median is 48 bytes and the mean 270; nine in ten
 * are at most 256 bytes, three in a hundred above 1 KiB, four in a thousand
 * above 8 KiB; the largest hundredth has half of all bytes.
 */
static inline size_t bench_mixed_size(uint64_t *state)
{
	/* How many of a thousand are at most 16, 32, 64, ... 64 KiB. */
	static const uint16_t shares[] = { 150, 380, 630, 790, 890, 940, 970,
					   984, 992, 996, 998, 999, 1000 };
	uint32_t share = bench_below(state, 1000);
	unsigned int i = 0;
	size_t top, size;

	while (share >= shares[i])
		i++;
	top = (size_t)16 << i;
	size = top / 2 + 8 + bench_below(state, top / 16) * 8;
	return size < BENCH_SIZE_MAX ? size : BENCH_SIZE_MAX;
}

#endif
