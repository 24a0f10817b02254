/* SPDX-License-Identifier: MIT */
/* The library without libc's names: both allocators side by side. */
#include "surface.h"

#include <slubmalloc/slubmalloc.h>

TEST(malloc_stays_with_libc)
{
	void *theirs = malloc(100), *ours = sm_malloc(100);

	EXPECT(!sm_owns(theirs));
	EXPECT(sm_owns(ours));
	free(theirs);
	sm_free(ours);
}

TEST(a_block_of_libc_is_no_block_of_ours)
{
	EXPECT_PANIC("slubmalloc: ", sm_free(malloc(100)));
}
