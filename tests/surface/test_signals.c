/* SPDX-License-Identifier: MIT */
/* Signal handlers that allocate: no promise of C, one of ours. */
#include "surface.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

enum {
	THREADS = 3,
	SIGNALS = 3000,
	HELD = 16
};

static atomic_int handled;
static _Atomic(void *) held[HELD];

/* Allocate small and large, and leave blocks for others to free. */
static void handle(int signal)
{
	static const size_t sizes[] = { 1, 64, 500, 5000, 40000, 400000 };
	int saved_errno = errno;
	int n = atomic_fetch_add(&handled, 1);
	size_t size = sizes[n % 6];
	char *block = malloc(size);

	(void)signal;
	if (block)
		stamp(block, size < 64 ? size : 64, 5);
	free(atomic_exchange(&held[n % HELD], block));
	free(calloc(1, size));
	errno = saved_errno;
}

static void start_storm(void)
{
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	const struct itimerval often = { .it_interval = { .tv_usec = 300 },
					 .it_value = { .tv_usec = 300 } };

	EXPECT_EQ(sigaction(SIGALRM, &action, NULL), 0);
	EXPECT_EQ(sigaction(SIGPROF, &action, NULL), 0);
	EXPECT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	EXPECT_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	EXPECT_EQ(setitimer(ITIMER_PROF, &often, NULL), 0);
}

static void stop_storm(void)
{
	const struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
}

/* Sizes on every path: arrays, slabs, pages, mappings; realloc as well. */
static void churn(unsigned int tag)
{
	enum {
		BLOCKS = 64
	};
	static const size_t sizes[] = { 8, 100, 3000, 30000, 100000, 2000000 };
	char *block[BLOCKS];

	for (unsigned int i = 0; i < BLOCKS; i++) {
		size_t size = sizes[i % 6];

		block[i] = malloc(size);
		EXPECT(block[i] != NULL);
		stamp(block[i], 8, tag);
	}
	for (unsigned int i = 0; i < BLOCKS; i += 3)
		block[i] = realloc(block[i], sizes[(i / 3 + 1) % 6] + 8);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		EXPECT(is_stamped(block[i], 8, tag));
		free(block[i]);
	}
}

/* A deadlock would be a loop of handlers: let the parent see no progress. */
TEST(handlers_that_allocate_never_deadlock)
{
	EXPECT_OURS();
	start_storm();
	while (handled < SIGNALS)
		churn(1);
	stop_storm();
	churn(2);
}

static void *work(void *argument)
{
	while (handled < SIGNALS) {
		churn((unsigned int)(uintptr_t)argument);
		pthread_kill(pthread_self(), SIGUSR1);
	}
	return NULL;
}

TEST(handlers_that_allocate_never_deadlock_with_threads)
{
	pthread_t thread[THREADS];

	EXPECT_OURS();
	start_storm();
	for (uintptr_t i = 0; i < THREADS; i++)
		EXPECT_EQ(
			pthread_create(&thread[i], NULL, work, (void *)(i + 3)),
			0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	stop_storm();
	churn(2);
}

TEST(handlers_that_allocate_do_not_disturb_fork)
{
	EXPECT_OURS();
	start_storm();
	while (handled < SIGNALS) {
		pid_t child = fork();
		int status;

		EXPECT(child >= 0);
		if (child == 0) {
			churn(4);
			_exit(0);
		}
		churn(3);
		EXPECT_EQ(waitpid(child, &status, 0), child);
		EXPECT_EQ(status, 0);
	}
	stop_storm();
}
