/* SPDX-License-Identifier: MIT */
/* The recorder's table of live blocks, next to an array that is searched. */
#include "test.h"

#include "blocks.h"

enum {
	TWINS = 300,
	STEPS = 200000,
	MANY = 100000
};

TEST(blocks_are_found_by_address_until_they_are_taken)
{
	static uint64_t twin[TWINS]; /* the number of address 16 * (i + 1) */
	struct blocks blocks = { 0 };
	uint64_t state = test_seed(), number = 0;

	for (int step = 0; step < STEPS; step++) {
		size_t i = test_random(&state) % TWINS;
		/* few homes: every address collides with others */
		const void *address =
			(const void *)((i % 20 + 1) << 40 | (i / 20 + 1) << 4);

		EXPECT_EQ(blocks_find(&blocks, address), twin[i]);
		if (test_random(&state) % 2) {
			twin[i] = ++number;
			EXPECT(blocks_put(&blocks, address, number));
		} else {
			EXPECT_EQ(blocks_take(&blocks, address), twin[i]);
			twin[i] = 0;
		}
	}
}

TEST(a_table_that_grows_keeps_what_it_has)
{
	struct blocks blocks = { 0 };

	for (uintptr_t i = 1; i <= MANY; i++)
		EXPECT(blocks_put(&blocks, (const void *)(i * 48), i));
	EXPECT_EQ(blocks.count, MANY);
	for (uintptr_t i = 1; i <= MANY; i++)
		EXPECT_EQ(blocks_take(&blocks, (const void *)(i * 48)), i);
	EXPECT_EQ(blocks.count, 0);
}

TEST(an_empty_table_has_no_block)
{
	struct blocks blocks = { 0 };

	EXPECT_EQ(blocks_find(&blocks, &blocks), 0);
	EXPECT_EQ(blocks_take(&blocks, &blocks), 0);
}
