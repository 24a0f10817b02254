/* SPDX-License-Identifier: MIT */
/* A burst, freed whole, then two seconds of light work: what comes back? */
#include "burst.h"

#include <pthread.h>
#include <string.h>

/* Nobody calls malloc_trim: that is the point. */
enum {
	BURST_BYTES = 256 << 20,
	IDLE_MS = 2000,
	THREADS = 4,
};

static const struct mix mix_blocks = { {
	{ 1000, 64 << 10, 64 << 10 },
} };

static struct {
	struct burst bursts[THREADS];
	pthread_barrier_t full;	   /* every thread has allocated its burst */
	pthread_barrier_t counted; /* the peak is on the curve */
	pthread_barrier_t empty;   /* every thread has freed its burst */
	pthread_mutex_t done;	   /* held by main until all is over */
	bool stay;		   /* threads wait for that, then exit */
	struct light light;
} idle = { .light.random = BENCH_SEED };

static void *burst_once(void *burst)
{
	burst_allocate(burst);
	pthread_barrier_wait(&idle.full);
	pthread_barrier_wait(&idle.counted);
	burst_free(burst);
	pthread_barrier_wait(&idle.empty);
	if (idle.stay) {
		pthread_mutex_lock(&idle.done);
		pthread_mutex_unlock(&idle.done);
	}
	return NULL;
}

static void start_thread(pthread_t *thread, struct burst *burst)
{
	if (pthread_create(thread, NULL, burst_once, burst) != 0)
		die("cannot create a thread");
}

/* Bursts by @count threads together; they are idle or gone afterwards. */
static void run_threads(pthread_t *threads, unsigned int count)
{
	pthread_barrier_init(&idle.full, NULL, count + 1);
	pthread_barrier_init(&idle.counted, NULL, count + 1);
	pthread_barrier_init(&idle.empty, NULL, count + 1);
	for (unsigned int i = 0; i < count; i++)
		start_thread(&threads[i], &idle.bursts[i]);
	pthread_barrier_wait(&idle.full);
	curve_point(BURST_BYTES);
	pthread_barrier_wait(&idle.counted);
	pthread_barrier_wait(&idle.empty);
	for (unsigned int i = 0; !idle.stay && i < count; i++)
		pthread_join(threads[i], NULL);
}

static void run_alone(void)
{
	burst_allocate(&idle.bursts[0]);
	curve_point(BURST_BYTES);
	burst_free(&idle.bursts[0]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool is_large = strcmp(what, "large") == 0;
	bool is_alone = is_large || strcmp(what, "small") == 0;
	const struct mix *mix = is_large ? &mix_blocks : &mix_usual;
	unsigned int count = is_alone ? 1 : THREADS;
	pthread_t threads[THREADS];
	uint64_t random = BENCH_SEED, start;

	idle.stay = strcmp(what, "workers") == 0;
	if (!is_alone && !idle.stay && strcmp(what, "threads") != 0)
		die("usage: memory_burst_idle small|large|threads|workers");
	for (unsigned int i = 0; i < count; i++)
		idle.bursts[i] = burst_plan(&random, mix, BURST_BYTES / count);
	pthread_mutex_lock(&idle.done);
	curve_point(0);
	start = cpu_ns();
	if (is_alone)
		run_alone();
	else
		run_threads(threads, count);
	light_work(&idle.light, IDLE_MS);
	report((double)(cpu_ns() - start), NULL, 0);
	pthread_mutex_unlock(&idle.done);
	return 0;
}
