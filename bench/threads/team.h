/* SPDX-License-Identifier: MIT */
/* Threads that do a benchmark's operations together. */
#ifndef BENCH_THREADS_TEAM_H
#define BENCH_THREADS_TEAM_H

#include <pthread.h>
#include <stdint.h>

#include "shim.h"

enum {
	TEAM_MAX = 64,
};

struct member {
	int index; /* 0 to size - 1 */
	int size;  /* of the team */
	int64_t operations;
	void (*work)(struct member *self);
	pthread_t thread;
} __attribute__((aligned(128)));

/* Start a thread, or end the program. */
pthread_t team_thread(void *(*function)(void *), void *argument);

/*
 * As many threads as the benchmark's argument says share its operations evenly,
 * each with @work. The clock runs from before the first has started until the
 * last has ended.
 */
void team_run(struct bench *bench, void (*work)(struct member *self));

#endif
