/* SPDX-License-Identifier: MIT */
/* Alignments: what glibc 2.36 takes, rounds and refuses. */
#include "surface.h"

#include <malloc.h>

TEST(memalign_gives_any_power_of_two)
{
	for (size_t align = 1; align <= 64 << 20; align *= 2)
		for (size_t size = 0; size < 3 * align && size < 1 << 20;
		     size += size + 1 + align / 3) {
			char *block = memalign(align, size);

			if (!block || (uintptr_t)block % align)
				FAIL("memalign(%zu, %zu) gives %p", align, size,
				     (void *)block);
			stamp(block, size, 3);
			free(block);
		}
}

TEST(memalign_and_aligned_alloc_round_the_alignment_up)
{
	for (size_t align = 0; align < 5000; align += align / 9 + 1) {
		size_t power = 1;
		void *block = memalign(opaque(align), 10);
		void *other = aligned_alloc(opaque(align), 10);

		while (power < align)
			power *= 2;
		EXPECT(block && (uintptr_t)block % power == 0);
		EXPECT(other && (uintptr_t)other % power == 0);
		free(block);
		free(other);
	}
}

TEST(an_alignment_beyond_the_last_power_of_two_is_einval)
{
	size_t last = SIZE_MAX / 2 + 1;

	errno = 0;
	EXPECT_EQ(memalign(opaque(last), 1), NULL);
	EXPECT_EQ(errno, ENOMEM);
	errno = 0;
	EXPECT_EQ(memalign(opaque(last + 1), 1), NULL);
	EXPECT_EQ(errno, EINVAL);
	errno = 0;
	EXPECT_EQ(aligned_alloc(opaque(SIZE_MAX), 1), NULL);
	EXPECT_EQ(errno, EINVAL);
}

TEST(size_and_alignment_that_wrap_together_are_enomem)
{
	for (size_t align = 32; align <= SIZE_MAX / 2; align *= 2) {
		errno = 0;
		EXPECT_EQ(memalign(align, opaque(SIZE_MAX - align / 2)), NULL);
		EXPECT_EQ(errno, ENOMEM);
		errno = 0;
		EXPECT_EQ(aligned_alloc(align, opaque((size_t)PTRDIFF_MAX)),
			  NULL);
		EXPECT_EQ(errno, ENOMEM);
	}
}

TEST(posix_memalign_refuses_by_value_and_leaves_the_pointer)
{
	static const size_t bad[] = { 0, 1, 2, 4, 3, 24, 100, SIZE_MAX };
	void *untouched = &untouched, *block = untouched;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(posix_memalign(&block, opaque(bad[i]), 8), EINVAL);
	EXPECT_EQ(posix_memalign(&block, 64, opaque(SIZE_MAX)), ENOMEM);
	EXPECT_EQ(posix_memalign(&block, 64, opaque((size_t)PTRDIFF_MAX)),
		  ENOMEM);
	EXPECT_EQ(posix_memalign(&block, SIZE_MAX / 2 + 1, 8), ENOMEM);
	EXPECT_EQ(block, untouched);
	EXPECT_EQ(posix_memalign(&block, sizeof(void *), 8), 0);
	EXPECT(block != untouched);
	free(block);
}

TEST(valloc_and_pvalloc_give_pages)
{
	size_t page = (size_t)getpagesize();

	for (size_t size = 0; size < 5 * page; size += 777) {
		void *some = valloc(size), *whole = pvalloc(size);

		EXPECT_EQ((uintptr_t)some % page, 0);
		EXPECT_EQ((uintptr_t)whole % page, 0);
		EXPECT(malloc_usable_size(some) >= size);
		EXPECT(malloc_usable_size(whole) >=
		       (size + page - 1) / page * page);
		free(some);
		free(whole);
	}
}

TEST(an_aligned_block_can_be_reallocated)
{
	for (size_t align = 16; align <= 1 << 16; align *= 2) {
		char *block = memalign(align, 100);

		stamp(block, 100, 5);
		for (size_t size = 100; size < 1 << 18; size *= 3) {
			block = realloc(block, size);
			EXPECT(is_stamped(block, 100, 5));
		}
		free(block);
	}
}
