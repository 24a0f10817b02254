/* SPDX-License-Identifier: MIT */
/* 100,000 threads come and go in turn; memory stays what it was. */
#include "limits.h"

#include <pthread.h>

enum {
	THREADS = 100000,
	WARM_UP = 1000,
	BLOCKS = 64,
	SLACK = 256 * KIB
};

/* What the thread before left for this one to free. */
static void *left_over[BLOCKS];

/*
 * Allocate blocks of many sizes, leave half of them to the next thread, and
 * free the rest and what the last one left. All threads do the same, so that
 * whatever grows has been lost.
 */
static void *live_and_die(void *unused)
{
	uint64_t state = 1;

	for (int i = 0; i < BLOCKS; i++) {
		size_t size = next_number(&state) % (i % 8 ? 1024 : 16384) + 1;
		char *block = malloc(size);

		if (!block)
			abort();
		block[0] = block[size - 1] = 1;
		free(i % 2 ? block : left_over[i]);
		if (i % 2 == 0)
			left_over[i] = block;
	}
	return unused;
}

int main(void)
{
	size_t base = 0, most = 0;

	require_preload();
	for (int i = 1; i <= THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, live_and_die, NULL) ||
		    pthread_join(thread, NULL))
			return 1;
		if (i == WARM_UP)
			base = resident_bytes();
		if (i % WARM_UP == 0 && resident_bytes() > most)
			most = resident_bytes();
	}
	expect_limit(most <= base + SLACK, "most memory after the warm-up",
		     most, base + SLACK);
	return 0;
}
