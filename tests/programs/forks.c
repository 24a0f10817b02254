/* SPDX-License-Identifier: MIT */
/*
 * A program with threads that allocate all the time forks again and again; the
 * children go on with the blocks they inherit, and with threads of their own.
 */
#include "limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum {
	FORKS = 300,
	THREADS = 4,
	BLOCKS = 500
};

static atomic_int stop;

/* Allocate, check and free blocks; returns how many were damaged. */
static size_t churn_blocks(uint64_t state, int rounds)
{
	static _Thread_local unsigned char *block[BLOCKS];
	static _Thread_local size_t size[BLOCKS];
	size_t damaged = 0;

	for (int n = 0; n < rounds; n++) {
		size_t i = next_number(&state) % BLOCKS;

		for (size_t b = 0; block[i] && b < size[i]; b += 7)
			damaged += block[i][b] != (unsigned char)i;
		size[i] = next_number(&state) % (n % 50 ? 600 : 70000) + 1;
		block[i] = realloc(n % 3 ? block[i] : (free(block[i]), NULL),
				   size[i]);
		if (!block[i])
			abort();
		memset(block[i], (int)i, size[i]);
	}
	return damaged;
}

static void *churn_until_stop(void *seed)
{
	size_t damaged = 0;

	while (!stop)
		damaged += churn_blocks((uintptr_t)seed, 1000);
	return (void *)damaged;
}

static void *churn_once(void *seed)
{
	return (void *)churn_blocks((uintptr_t)seed, 2000);
}

/* The child's life; returns its exit status. */
static int live_as_child(int n)
{
	pthread_t thread;
	void *damaged;

	if (churn_blocks((uint64_t)n, 2000))
		return 1;
	if (pthread_create(&thread, NULL, churn_once, (void *)(intptr_t)n) ||
	    pthread_join(thread, &damaged))
		return 2;
	return damaged ? 3 : 0;
}

/* Fork once, and once more from the child; returns the wait status. */
static int fork_child(int n)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0)
			_exit(live_as_child(n));
		if (live_as_child(n + 1) || waitpid(grandchild, &status, 0) < 0)
			_exit(4);
		exit(WEXITSTATUS(status) + WTERMSIG(status));
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	return status;
}

int main(void)
{
	pthread_t threads[THREADS];
	size_t bad = 0;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, churn_until_stop,
				   (void *)(uintptr_t)(i + 1)))
			return 1;
	for (int n = 0; n < FORKS; n++) {
		bad += churn_blocks((uint64_t)n, 200);
		bad += fork_child(n) != 0;
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++) {
		void *damaged;

		pthread_join(threads[i], &damaged);
		bad += damaged != NULL;
	}
	printf("%d forks, %zu bad\n", FORKS, bad);
	return bad != 0;
}
