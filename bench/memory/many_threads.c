/* SPDX-License-Identifier: MIT */
/* Many threads that were busy once and are idle now: what do they hold? */
#include "draw.h"
#include "watch.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * Each thread allocates a MiB in blocks of the usual mix, replaces every block
 * once, and frees three quarters of them at random: then it is idle. In the
 * end all is freed and the threads exit.
 */
enum {
	THREADS = 64,
	THREAD_BYTES = 1 << 20,
	FREED_OF_FOUR = 3,
};

struct worker {
	pthread_t thread;
	uint64_t random;
	void **blocks;
	uint32_t *sizes;
	uint32_t *order;
	size_t count;
	size_t live_bytes;
};

static struct {
	struct worker workers[THREADS];
	pthread_barrier_t idle;	   /* every thread has done its work */
	pthread_barrier_t counted; /* that is on the curve */
} all;

static void plan_worker(struct worker *worker, uint64_t random)
{
	size_t bytes = 0;

	for (worker->random = random; bytes < THREAD_BYTES; worker->count++)
		bytes += draw_size(&random, &mix_usual);
	worker->blocks = own_table(worker->count * sizeof(*worker->blocks));
	worker->sizes = own_table(worker->count * sizeof(*worker->sizes));
	worker->order = own_table(worker->count * sizeof(*worker->order));
	draw_order(&random, worker->order, worker->count);
}

static void allocate(struct worker *worker, size_t i)
{
	worker->sizes[i] = (uint32_t)draw_size(&worker->random, &mix_usual);
	worker->blocks[i] = touched(worker->sizes[i]);
	worker->live_bytes += worker->sizes[i];
}

static void release(struct worker *worker, size_t i)
{
	worker->live_bytes -= worker->sizes[i];
	free(worker->blocks[i]);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	size_t freed = worker->count / 4 * FREED_OF_FOUR;

	for (size_t i = 0; i < worker->count; i++)
		allocate(worker, i);
	for (size_t i = 0; i < worker->count; i++) {
		release(worker, worker->order[i]);
		allocate(worker, worker->order[i]);
	}
	for (size_t i = 0; i < freed; i++)
		release(worker, worker->order[i]);
	pthread_barrier_wait(&all.idle);
	pthread_barrier_wait(&all.counted);
	for (size_t i = freed; i < worker->count; i++)
		release(worker, worker->order[i]);
	return NULL;
}

static size_t live_bytes(void)
{
	size_t bytes = 0;

	for (int i = 0; i < THREADS; i++)
		bytes += all.workers[i].live_bytes;
	return bytes;
}

int main(void)
{
	uint64_t start;

	pthread_barrier_init(&all.idle, NULL, THREADS + 1);
	pthread_barrier_init(&all.counted, NULL, THREADS + 1);
	for (unsigned int i = 0; i < THREADS; i++)
		plan_worker(&all.workers[i], BENCH_SEED + i * 7919);
	curve_point(0);
	start = cpu_ns();
	for (int i = 0; i < THREADS; i++) {
		struct worker *worker = &all.workers[i];

		if (pthread_create(&worker->thread, NULL, work, worker) != 0)
			die("cannot create a thread");
	}
	pthread_barrier_wait(&all.idle);
	curve_point(live_bytes());
	pthread_barrier_wait(&all.counted);
	for (int i = 0; i < THREADS; i++)
		pthread_join(all.workers[i].thread, NULL);
	curve_point(live_bytes());
	report((double)(cpu_ns() - start), NULL, 0);
	return 0;
}
