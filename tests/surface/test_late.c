/* SPDX-License-Identifier: MIT */
/* Not preloaded: the library is opened late, and closed, and stays. */
#include "surface.h"

#include <dlfcn.h>
#include <malloc.h>

static void *open_library(int mode)
{
	void *handle = dlopen(getenv("SURFACE_LIBRARY"), mode);

	if (!handle)
		FAIL("%s", dlerror());
	return handle;
}

TEST(the_library_can_be_opened_late_and_closed)
{
	void *handle = open_library(RTLD_NOW | RTLD_LOCAL), *block, *mine;
	void *(*late_malloc)(size_t size);
	void (*late_free)(void *block);
	int (*late_owns)(const void *block);

	*(void **)&late_malloc = dlsym(handle, "malloc");
	*(void **)&late_free = dlsym(handle, "free");
	*(void **)&late_owns = dlsym(handle, "sm_owns");
	block = late_malloc(100);
	mine = malloc(100);
	EXPECT(late_owns(block) && !late_owns(mine));
	EXPECT_EQ(dlclose(handle), 0);
	stamp(block, 100, 3);
	late_free(block);
	for (size_t size = 1; size < 8 << 20; size *= 2)
		late_free(late_malloc(size));
	free(mine);
}

TEST(it_can_be_opened_for_all_and_gets_blocks_of_libc)
{
	void *mine[100], *handle;
	void (*late_free)(void *block);
	size_t (*late_usable_size)(const void *block);

	for (size_t i = 0; i < 100; i++)
		mine[i] = malloc(i * i * i);
	handle = open_library(RTLD_NOW | RTLD_GLOBAL);
	*(void **)&late_free = dlsym(handle, "free");
	*(void **)&late_usable_size = dlsym(handle, "malloc_usable_size");
	for (size_t i = 0; i < 100; i++) {
		EXPECT_EQ(late_usable_size(mine[i]),
			  malloc_usable_size(mine[i]));
		late_free(mine[i]);
	}
	for (size_t i = 0; i < 100; i++)
		free(malloc(i * i * i));
}

TEST(it_can_be_opened_many_times)
{
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(dlclose(open_library(RTLD_LAZY)), 0);
	free(malloc(100));
	EXPECT_EQ(fork() ? 0 : (_exit(0), 1), 0);
}
