/* SPDX-License-Identifier: MIT */
/* What is no block ends in a message and an abort, never in corruption. */
#include "surface.h"

#include <malloc.h>
#include <sys/mman.h>

static char in_data[4096] = { 1 };

#define EXPECT_REFUSED(pointer)                                            \
	do {                                                               \
		void *refused = opaque_pointer(pointer);                   \
                                                                           \
		EXPECT_PANIC("slubmalloc: ", free(refused));               \
		EXPECT_PANIC("slubmalloc: ",                               \
			     opaque_pointer(realloc(refused, 100)));       \
		EXPECT_PANIC("slubmalloc: ", malloc_usable_size(refused)); \
	} while (0)

TEST(an_address_on_the_stack_is_refused)
{
	_Alignas(64) char block[256] = { 0 };

	EXPECT_OURS();
	EXPECT_REFUSED(block);
	EXPECT_REFUSED(block + 64);
	EXPECT_REFUSED(block + 8);
}

TEST(static_data_is_refused)
{
	EXPECT_OURS();
	EXPECT_REFUSED(in_data + 1024);
	EXPECT_REFUSED("a string constant");
}

TEST(an_address_that_is_not_mapped_is_refused)
{
	EXPECT_OURS();
	EXPECT_REFUSED((void *)16);
	EXPECT_REFUSED((void *)0x123456789ab0);
	EXPECT_REFUSED((void *)0xdeadbeefdeadbee0);
	EXPECT_REFUSED((void *)(UINTPTR_MAX - 15));
}

TEST(a_mapping_of_the_program_is_refused)
{
	char *mapping = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_OURS();
	EXPECT_REFUSED(mapping);
	EXPECT_REFUSED(mapping + 4096);
	EXPECT_REFUSED(mapping + 4096 + 16);
	mprotect(mapping, 1 << 16, PROT_NONE);
	EXPECT_REFUSED(mapping + 4096);
}

TEST(the_middle_of_a_large_block_is_refused)
{
	static const size_t sizes[] = { 40 << 10, 200 << 10, 900 << 10,
					9 << 20 };

	EXPECT_OURS();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *block = malloc(sizes[i]);

		EXPECT_REFUSED(block + 16);
		EXPECT_REFUSED(block + 4096);
		EXPECT_REFUSED(block + sizes[i] / 2 / 16 * 16);
		EXPECT_REFUSED(block + 1);
	}
}

TEST(a_large_block_freed_twice_is_refused)
{
	static const size_t sizes[] = { 64 << 10, 500 << 10, 5 << 20,
					300 << 20 };

	EXPECT_OURS();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		void *block = malloc(sizes[i]);

		free(block);
		EXPECT_PANIC("slubmalloc: ", free(opaque_pointer(block)));
	}
}
