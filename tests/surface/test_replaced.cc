/* SPDX-License-Identifier: MIT */
/*
 * A program that replaces one operator new and one operator delete: by the
 * standard all the others come round to them.
 */
#include "surface.h"

#include <new>

namespace
{

enum {
	HEADER = 64
}; /* of our own, so that nobody else can free the block */
int news, deletes;

bool is_replaced(void *block)
{
	return news == 1 && !memcmp((char *)block - HEADER, "replaced", 8);
}

} // namespace

void *operator new(size_t size)
{
	char *block;

	if (size > PTRDIFF_MAX / 2)
		throw std::bad_alloc();
	news++;
	block = (char *)malloc(size + HEADER);
	memcpy(block, "replaced", 8);
	return block + HEADER;
}

void operator delete(void *block) noexcept
{
	deletes++;
	if (block)
		free((char *)block - HEADER);
}

#define EXPECT_REPLACED(allocate, release)        \
	do {                                      \
		void *block;                      \
                                                  \
		news = deletes = 0;               \
		block = opaque_pointer(allocate); \
		EXPECT(is_replaced(block));       \
		release;                          \
		EXPECT_EQ(deletes, 1);            \
	} while (0)

TEST(array_new_comes_round_to_the_programs_new)
{
	EXPECT_REPLACED(::operator new[](8), ::operator delete[](block));
	EXPECT_REPLACED(::operator new[](8), ::operator delete[](block, 8));
}

TEST(sized_delete_comes_round_to_the_programs_delete)
{
	EXPECT_REPLACED(::operator new(8), ::operator delete(block, 8));
}

TEST(nothrow_new_comes_round_to_the_programs_new)
{
	EXPECT_REPLACED(::operator new(8, std::nothrow),
			::operator delete(block, std::nothrow));
	EXPECT_REPLACED(::operator new[](8, std::nothrow),
			::operator delete[](block, std::nothrow));
}

TEST(what_the_programs_new_throws_stays_in_nothrow_new)
{
	EXPECT_EQ(::operator new(opaque(PTRDIFF_MAX), std::nothrow), nullptr);
	EXPECT_EQ(::operator new[](opaque(PTRDIFF_MAX), std::nothrow), nullptr);
}
