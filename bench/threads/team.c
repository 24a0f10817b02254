/* SPDX-License-Identifier: MIT */
/* Threads that do a benchmark's operations together. */
#include "team.h"

#include <err.h>
#include <errno.h>

pthread_t team_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, function, argument);
	if (errno)
		err(1, "pthread_create");
	return thread;
}

static void *work(void *argument)
{
	struct member *self = argument;

	self->work(self);
	return NULL;
}

void team_run(struct bench *bench, void (*function)(struct member *self))
{
	static struct member team[TEAM_MAX];
	int size = bench->argument;
	int64_t operations = bench_batch(bench);

	for (int i = 0; i < size; i++) {
		team[i].index = i;
		team[i].size = size;
		team[i].operations = operations / size;
		team[i].work = function;
		team[i].thread = team_thread(work, &team[i]);
	}
	for (int i = 0; i < size; i++)
		pthread_join(team[i].thread, NULL);
	bench_batch(bench);
}
