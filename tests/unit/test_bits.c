/* SPDX-License-Identifier: MIT */
/* Powers of two and bitmaps, each against its definition. */
#include "base/base.h"

#include "test.h"

enum {
	SMALL = 1 << 14,
	MAP_WORDS = 4,
	MAP_BITS = MAP_WORDS * WORD_BITS
};

static size_t power(unsigned int k)
{
	return (size_t)1 << k;
}

TEST(only_powers_of_two_are_powers_of_two)
{
	size_t next = 1;

	EXPECT(!is_power_of_two(0));
	for (size_t n = 1; n <= SMALL; n++) {
		EXPECT_EQ(is_power_of_two(n), n == next);
		if (n == next)
			next *= 2;
	}
	EXPECT(is_power_of_two(power(63)));
	EXPECT(!is_power_of_two(SIZE_MAX));
}

TEST(floor_log2_is_the_largest_power_not_above)
{
	for (size_t n = 1; n <= SMALL; n++) {
		EXPECT(power(floor_log2(n)) <= n);
		EXPECT(power(floor_log2(n) + 1) > n);
	}
	EXPECT_EQ(floor_log2(power(63)), 63);
	EXPECT_EQ(floor_log2(SIZE_MAX), 63);
}

TEST(ceil_log2_is_the_smallest_power_not_below)
{
	EXPECT_EQ(ceil_log2(1), 0);
	for (size_t n = 2; n <= SMALL; n++) {
		EXPECT(power(ceil_log2(n)) >= n);
		EXPECT(power(ceil_log2(n) - 1) < n);
	}
	EXPECT_EQ(ceil_log2(power(63)), 63);
}

TEST(lowest_bit_divides_and_its_double_does_not)
{
	for (size_t n = 1; n <= SMALL; n++) {
		EXPECT(is_power_of_two(lowest_bit(n)));
		EXPECT_EQ(n % lowest_bit(n), 0);
		EXPECT(n % (2 * lowest_bit(n)) != 0);
	}
}

TEST(rounding_gives_the_nearest_multiples)
{
	for (size_t unit = 1; unit <= 4096; unit *= 2) {
		for (size_t n = 0; n < SMALL; n++) {
			EXPECT_EQ(round_down(n, unit), n / unit * unit);
			EXPECT_EQ(round_up(n, unit),
				  (n + unit - 1) / unit * unit);
		}
	}
	EXPECT_EQ(round_up(SIZE_MAX, 4096), 0);
}

TEST(clamp_keeps_within_its_bounds)
{
	EXPECT_EQ(clamp_size(1, 2, 5), 2);
	EXPECT_EQ(clamp_size(2, 2, 5), 2);
	EXPECT_EQ(clamp_size(4, 2, 5), 4);
	EXPECT_EQ(clamp_size(9, 2, 5), 5);
	EXPECT_EQ(min_size(3, 4), 3);
	EXPECT_EQ(min_size(4, 3), 3);
	EXPECT_EQ(max_size(3, 4), 4);
	EXPECT_EQ(max_size(4, 3), 4);
}

TEST(bits_of_a_map_are_independent)
{
	uint64_t map[MAP_WORDS] = { 0 };
	bool twin[MAP_BITS] = { false };
	uint64_t random = test_seed();

	for (int i = 0; i < 1000; i++) {
		size_t bit = test_random(&random) % MAP_BITS;

		twin[bit] = test_random(&random) % 2;
		if (twin[bit])
			set_bit(map, bit);
		else
			clear_bit(map, bit);
		for (size_t k = 0; k < MAP_BITS; k++)
			EXPECT_EQ(test_bit(map, k), twin[k]);
	}
}

TEST(masks_of_a_range_cover_its_bits_and_no_other)
{
	for (size_t first = 0; first < MAP_BITS; first += 7) {
		for (size_t count = 0; first + count <= MAP_BITS; count++) {
			uint64_t map[MAP_WORDS];

			for (size_t word = 0; word < MAP_WORDS; word++)
				map[word] = range_mask(word, first, count);
			for (size_t k = 0; k < MAP_BITS; k++)
				EXPECT_EQ(test_bit(map, k),
					  k >= first && k < first + count);
		}
	}
}
