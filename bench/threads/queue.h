/* SPDX-License-Identifier: MIT */
/*
 * A bounded queue of batches of blocks. A batch goes through it with one lock
 * and one copy, so that what it costs is little for each block, and it
 * allocates nothing.
 */
#ifndef BENCH_THREADS_QUEUE_H
#define BENCH_THREADS_QUEUE_H

#include <pthread.h>

enum {
	BATCH = 128,
	QUEUE_BATCHES = 16,
};

struct batch {
	void *blocks[BATCH];
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t emptied;
	unsigned int first, count;
	struct batch batches[QUEUE_BATCHES];
} __attribute__((aligned(128)));

void queue_init(struct queue *queue);

/* Append a copy of @batch; waits while the queue is full. */
void queue_put(struct queue *queue, const struct batch *batch);

/* Take the oldest batch; waits while there is none. */
void queue_get(struct queue *queue, struct batch *ret_batch);

#endif
