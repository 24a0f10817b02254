/* SPDX-License-Identifier: MIT */
/* A program that is linked with the library, shared or static, not preloaded.
 */
#include "surface.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/auxv.h>

/* For the test that starts this as a program with other rights. */
__attribute__((constructor)) static void tell_rights(void)
{
	if (getauxval(AT_SECURE))
		printf("# AT_SECURE=1\n");
}

TEST(malloc_is_ours)
{
	void *block[] = { malloc(1),	   calloc(1, 5000),
			  strdup("text"),  realloc(NULL, 100000),
			  memalign(64, 3), aligned_alloc(16, 7000000) };

	for (size_t i = 0; i < sizeof(block) / sizeof(block[0]); i++) {
		EXPECT(sm_owns && sm_owns(block[i]));
		free(block[i]);
	}
}

static void *allocate(void *argument)
{
	for (size_t i = 0; i < 1000; i++)
		free(malloc(i));
	return argument;
}

TEST(threads_and_children_allocate)
{
	pthread_t thread;
	int status = -1;

	EXPECT_EQ(pthread_create(&thread, NULL, allocate, NULL), 0);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			allocate(NULL);
			_exit(0);
		}
		EXPECT_EQ(waitpid(child, &status, 0), child);
		EXPECT_EQ(status, 0);
	}
	pthread_join(thread, NULL);
}

TEST(statistics_are_ours)
{
	size_t before = mallinfo2().uordblks;
	void *block = malloc(20000);

	EXPECT(mallinfo2().uordblks >= before + 20000);
	free(block);
}
