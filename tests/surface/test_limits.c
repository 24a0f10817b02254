/* SPDX-License-Identifier: MIT */
/* Little address space, much memory asked for, none there. */
#include "surface.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

static void limit_address_space(size_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
}

/* All there is, in blocks of @size, linked through their first word. */
static void *take_everything(size_t size, size_t *ret_count)
{
	void **list = NULL, **block;

	*ret_count = 0;
	while ((block = malloc(size))) {
		*block = list;
		list = block;
		if (++*ret_count * size > (size_t)1 << 30)
			FAIL("there is no limit");
	}
	EXPECT_EQ(errno, ENOMEM);
	return list;
}

static void give_back(void **list)
{
	while (list) {
		void **next = *list;

		free(list);
		list = next;
	}
}

TEST(calloc_of_8_gib_takes_no_memory)
{
	size_t before = resident_bytes(), size = (size_t)8 << 30;
	char *block = calloc(size, 1);

	if (!block)
		SKIP("the system does not grant 8 GiB");
	EXPECT(resident_bytes() < before + (2 << 20));
	EXPECT_EQ(block[0] | block[size / 2] | block[size - 1], 0);
	block[size - 1] = 1;
	EXPECT(resident_bytes() < before + (4 << 20));
	free(block);
}

/* Started by the next test, under a limit that was there from the start. */
TEST(limited_program)
{
	size_t first, second;
	void *list;

	if (!getenv("SURFACE_LIMITED"))
		SKIP("runs as a part of another test");
	list = take_everything(1 << 16, &first);
	EXPECT(first >= 60 * 16);
	give_back(list);
	list = take_everything(1 << 16, &second);
	EXPECT(second >= first / 10 * 9);
	give_back(list);
}

TEST(a_program_under_ulimit_v_can_use_most_of_it)
{
	char text[4096];
	int status;

	limit_address_space((size_t)200000 << 10);
	status = run_again("limited_program", "SURFACE_LIMITED", "1", text,
			   sizeof(text));
	if (status)
		FAIL("status 0x%x: %s", (unsigned int)status, text);
}

static void *allocate_small(void *argument)
{
	(void)argument;
	for (int i = 0; i < 1000; i++)
		free(memset(malloc((size_t)i), 1, (size_t)i));
	return NULL;
}

TEST(a_limit_that_is_lowered_leaves_room_for_mappings)
{
	pthread_t thread;
	void *mapping;

	free(malloc(100));
	limit_address_space((size_t)400 << 20);
	mapping = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(mapping != MAP_FAILED);
	EXPECT_EQ(pthread_create(&thread, NULL, allocate_small, NULL), 0);
	pthread_join(thread, NULL);
	free(memset(malloc(30 << 20), 1, 30 << 20));
}

TEST(prlimit_lowers_the_limit_as_well)
{
	const struct rlimit limit = { (size_t)400 << 20, (size_t)400 << 20 };
	struct rlimit old, now;

	free(malloc(100));
	EXPECT_EQ(prlimit(0, RLIMIT_AS, &limit, &old), 0);
	EXPECT_EQ(prlimit(getpid(), RLIMIT_AS, &limit, &now), 0);
	EXPECT_EQ(now.rlim_cur, limit.rlim_cur);
	EXPECT(old.rlim_cur != now.rlim_cur);
	EXPECT(malloc(30 << 20) != NULL);
	errno = 0;
	EXPECT_EQ(setrlimit((__rlimit_resource_t)999, &limit), -1);
	EXPECT_EQ(errno, EINVAL);
}

TEST(small_requests_go_on_from_what_is_there)
{
	size_t large, small;
	void *list, *rest;

	limit_to_growth(300 << 20);
	list = take_everything(4 << 20, &large);
	rest = take_everything(100, &small);
	EXPECT(large > 0);
	give_back(list);
	EXPECT(malloc(100) != NULL);
	EXPECT(malloc(100000) != NULL);
	give_back(rest);
	for (int i = 0; i < 10000; i++)
		EXPECT(malloc(100) != NULL);
}

TEST(memory_that_ran_out_comes_back_when_freed)
{
	limit_to_growth(200 << 20);
	for (size_t size = 1 << 10; size < 1 << 20; size *= 4) {
		size_t first, again;

		give_back(take_everything(size, &first));
		give_back(take_everything(size, &again));
		EXPECT(first * size >= 100 << 20);
		EXPECT(again >= first / 10 * 9);
	}
}

/* Address space that small blocks have used serves large ones. */
TEST(memory_that_ran_out_comes_back_in_another_size)
{
	limit_to_growth(200 << 20);
	for (size_t size = 1 << 10; size <= 16 << 20; size *= 4) {
		size_t count;

		give_back(take_everything(size, &count));
		TEST_NOTE("%zu blocks of %zu bytes", count, size);
		EXPECT(count * size >= 50 << 20);
	}
}
