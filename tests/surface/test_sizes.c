/* SPDX-License-Identifier: MIT */
/* Every function of the family, at every size: zero, small, huge, too much. */
#include "surface.h"

#include <malloc.h>

static void *calloc_one(size_t size)
{
	return calloc(1, size);
}

static void *calloc_many(size_t size)
{
	return calloc(size, 1);
}

static void *realloc_null(size_t size)
{
	return realloc(NULL, size);
}

static void *reallocarray_null(size_t size)
{
	return reallocarray(NULL, size, 1);
}

static void *aligned_alloc_16(size_t size)
{
	return aligned_alloc(16, size);
}

static void *memalign_1(size_t size)
{
	return memalign(1, size);
}

static void *memalign_64(size_t size)
{
	return memalign(64, size);
}

static void *memalign_64k(size_t size)
{
	return memalign(1 << 16, size);
}

static void *posix_memalign_32(size_t size)
{
	void *block = NULL;
	int error = posix_memalign(&block, 32, size);

	if (error)
		errno = error;
	return block;
}

static const struct {
	const char *name;
	void *(*call)(size_t size);
} functions[] = {
	{ "malloc", malloc },
	{ "calloc_one", calloc_one },
	{ "calloc_many", calloc_many },
	{ "realloc_null", realloc_null },
	{ "reallocarray_null", reallocarray_null },
	{ "aligned_alloc_16", aligned_alloc_16 },
	{ "memalign_1", memalign_1 },
	{ "memalign_64", memalign_64 },
	{ "memalign_64k", memalign_64k },
	{ "posix_memalign_32", posix_memalign_32 },
	{ "valloc", valloc },
	{ "pvalloc", pvalloc },
};

enum {
	FUNCTIONS = sizeof(functions) / sizeof(functions[0])
};

TEST(every_function_gives_blocks_of_the_preloaded_library)
{
	EXPECT_OURS();
	for (int i = 0; i < FUNCTIONS; i++)
		if (!sm_owns(functions[i].call(100)))
			FAIL("%s() is somebody else's", functions[i].name);
}

TEST(zero_bytes_are_a_block_of_their_own)
{
	for (int i = 0; i < FUNCTIONS; i++) {
		void *first = functions[i].call(0);
		void *second = functions[i].call(0);

		if (!first || !second || first == second)
			FAIL("%s(0) gives %p, then %p", functions[i].name,
			     first, second);
		free(first);
		free(second);
	}
}

static void expect_enomem(int function, size_t size)
{
	void *block;

	errno = 0;
	block = functions[function].call(opaque(size));
	if (block || errno != ENOMEM)
		FAIL("%s(0x%zx) gives %p, errno %d", functions[function].name,
		     size, block, errno);
}

TEST(more_than_can_be_is_enomem_in_every_function)
{
	for (int i = 0; i < FUNCTIONS; i++)
		for (int below = 0; below < 70000; below += below / 3 + 1) {
			expect_enomem(i, SIZE_MAX - (size_t)below);
			expect_enomem(i,
				      (size_t)PTRDIFF_MAX + 1 + (size_t)below);
			expect_enomem(i, (size_t)PTRDIFF_MAX - (size_t)below);
		}
}

TEST(every_block_is_aligned_to_16_bytes)
{
	for (size_t size = 0; size <= 4096; size++)
		for (int i = 0; i < FUNCTIONS; i++) {
			void *block = functions[i].call(size);

			if (!block || (uintptr_t)block % 16)
				FAIL("%s(%zu) gives %p", functions[i].name,
				     size, block);
			stamp(block, size, (unsigned int)size);
			free(block);
		}
}

TEST(usable_size_is_enough_and_all_of_it_may_be_used)
{
	enum {
		BLOCKS = 600
	};
	void *block[BLOCKS];
	size_t usable[BLOCKS];

	for (unsigned int i = 0; i < BLOCKS; i++) {
		size_t size = (size_t)i * i / 3;

		block[i] = functions[i % FUNCTIONS].call(size);
		usable[i] = malloc_usable_size(block[i]);
		EXPECT(block[i] && usable[i] >= size);
		stamp(block[i], usable[i], i);
	}
	for (unsigned int i = 0; i < BLOCKS; i++) {
		EXPECT_EQ(malloc_usable_size(block[i]), usable[i]);
		EXPECT(is_stamped(block[i], usable[i], i));
		free(block[i]);
	}
	EXPECT_EQ(malloc_usable_size(NULL), 0);
}

TEST(calloc_gives_zeros_where_others_have_written)
{
	for (size_t size = 1; size < 3 << 20; size += size / 5 + 1) {
		void *dirty = malloc(size);
		void *clean;

		stamp(dirty, malloc_usable_size(dirty), 7);
		free(dirty);
		clean = calloc(1, size);
		if (!is_zero(clean, size))
			FAIL("calloc(1, %zu) is not zero", size);
		free(clean);
	}
}

TEST(a_product_that_wraps_is_enomem)
{
	static const size_t factors[][2] = {
		{ SIZE_MAX, 2 },	   { SIZE_MAX / 2 + 1, 2 },
		{ SIZE_MAX / 16 + 2, 16 }, { (size_t)1 << 32, (size_t)1 << 32 },
		{ SIZE_MAX, SIZE_MAX },
	};

	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		size_t a = opaque(factors[i][0]), b = opaque(factors[i][1]);
		void *old = malloc(10);

		errno = 0;
		EXPECT_EQ(calloc(a, b), NULL);
		EXPECT_EQ(errno, ENOMEM);
		EXPECT_EQ(calloc(b, a), NULL);
		errno = 0;
		EXPECT_EQ(reallocarray(old, a, b), NULL);
		EXPECT_EQ(errno, ENOMEM);
		free(old);
	}
	EXPECT(calloc(0, opaque(SIZE_MAX)) != NULL);
	EXPECT(calloc(opaque(SIZE_MAX), 0) != NULL);
}
