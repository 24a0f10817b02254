/* SPDX-License-Identifier: MIT */
/* Powers of two, logarithms and rounding. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CACHE_LINE_BYTES = 64,
	WORD_BITS = 64, /* bits of the uint64_t that every bitmap is made of */
};

static inline bool is_power_of_two(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* The largest k with 2^k <= @n; @n > 0. */
static inline unsigned int floor_log2(size_t n)
{
	return (unsigned int)(sizeof(long) * CHAR_BIT - 1) -
	       (unsigned int)__builtin_clzl(n);
}

/* The smallest k with 2^k >= @n; @n > 0. */
static inline unsigned int ceil_log2(size_t n)
{
	return n <= 1 ? 0 : floor_log2(n - 1) + 1;
}

/* The largest power of two that divides @n; @n > 0. */
static inline size_t lowest_bit(size_t n)
{
	return n & -n;
}

/* @n up to a multiple of @unit, a power of two; wraps like any sum. */
static inline size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

static inline size_t round_down(size_t n, size_t unit)
{
	return n & ~(unit - 1);
}

static inline size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static inline size_t clamp_size(size_t n, size_t low, size_t high)
{
	return n < low ? low : n > high ? high : n;
}

static inline bool test_bit(const uint64_t *map, size_t bit)
{
	return map[bit / WORD_BITS] >> (bit % WORD_BITS) & 1;
}

static inline void set_bit(uint64_t *map, size_t bit)
{
	map[bit / WORD_BITS] |= (uint64_t)1 << (bit % WORD_BITS);
}

static inline void clear_bit(uint64_t *map, size_t bit)
{
	map[bit / WORD_BITS] &= ~((uint64_t)1 << (bit % WORD_BITS));
}

/*
 * The bits of word @word that lie in the range of @count bits from @first:
 * a loop over the words of a range needs nothing else.
 */
static inline uint64_t range_mask(size_t word, size_t first, size_t count)
{
	size_t low = word * WORD_BITS, end = first + count;
	uint64_t mask = ~(uint64_t)0;

	if (first >= low + WORD_BITS || end <= low)
		return 0;
	if (first > low)
		mask &= ~(uint64_t)0 << (first - low);
	if (end < low + WORD_BITS)
		mask &= ~(uint64_t)0 >> (low + WORD_BITS - end);
	return mask;
}

#endif
