/* SPDX-License-Identifier: MIT */
/* fork, vfork and their relatives, while other threads are at it. */
#include "surface.h"

#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>

enum {
	WORKERS = 4,
	FORKS = 1000
};

static atomic_bool stop;

/* Allocate and free all sizes, and look after every block. */
static void churn(unsigned int tag, int rounds)
{
	enum {
		BLOCKS = 32
	};
	uint64_t seed = tag;
	size_t size[BLOCKS] = { 0 };
	char *block[BLOCKS] = { NULL };

	for (int i = 0; i < rounds; i++) {
		int at = (int)(test_random(&seed) % BLOCKS);

		if (block[at] && !is_stamped(block[at], size[at], tag))
			FAIL("a block of %zu bytes has changed", size[at]);
		free(block[at]);
		size[at] = (size_t)1 << test_random(&seed) % 14;
		if (i % 97 == 0)
			size[at] = 300000;
		block[at] = malloc(size[at]);
		EXPECT(block[at] != NULL);
		stamp(block[at], size[at], tag);
	}
	for (int at = 0; at < BLOCKS; at++)
		free(block[at]);
}

static void *work(void *argument)
{
	unsigned int tag = (unsigned int)(uintptr_t)argument;

	while (!stop)
		churn(tag, 100);
	return NULL;
}

static void start_workers(pthread_t *worker)
{
	for (uintptr_t i = 0; i < WORKERS; i++)
		EXPECT_EQ(
			pthread_create(&worker[i], NULL, work, (void *)(i + 1)),
			0);
}

static void stop_workers(pthread_t *worker)
{
	stop = true;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(worker[i], NULL);
}

static void expect_good_end(pid_t child)
{
	int status = -1;

	EXPECT(child > 0);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

TEST(children_of_a_threaded_program_go_on_allocating)
{
	pthread_t worker[WORKERS];

	DEADLINE(300);
	start_workers(worker);
	for (int i = 0; i < FORKS; i++) {
		char *mine = malloc(1000);
		pid_t child;

		stamp(mine, 1000, 77);
		child = fork();
		if (child == 0) {
			DEADLINE(60);
			churn(99, 60);
			EXPECT(is_stamped(mine, 1000, 77));
			free(mine);
			free(malloc(3 << 20));
			_exit(0);
		}
		expect_good_end(child);
		EXPECT(is_stamped(mine, 1000, 77));
		free(mine);
	}
	stop_workers(worker);
}

TEST(a_child_of_a_threaded_program_starts_threads_and_forks)
{
	pthread_t worker[WORKERS];

	DEADLINE(120);
	start_workers(worker);
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();

		if (child == 0) {
			pthread_t inner[WORKERS];
			pid_t grandchild;

			DEADLINE(60);
			start_workers(inner);
			grandchild = fork();
			if (grandchild == 0) {
				churn(5, 200);
				_exit(0);
			}
			expect_good_end(grandchild);
			stop_workers(inner);
			_exit(0);
		}
		expect_good_end(child);
	}
	stop_workers(worker);
}

/*
 * The circle: fork waits for the list of all streams, which fflush(NULL) holds
 * while it waits for a stream, which getline() holds while it allocates. It
 * closes if an allocation waits for fork.
 */
static int lines[2];

static void *read_lines(void *argument)
{
	FILE *file = fdopen(lines[0], "r");

	(void)argument;
	for (;;) {
		char *line = NULL;
		size_t size = 0;

		if (getline(&line, &size, file) < 0)
			return file;
		free(line);
	}
}

static void *write_lines(void *argument)
{
	static char line[20001];

	(void)argument;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	while (!stop)
		if (write(lines[1], line, sizeof(line)) < 0)
			break;
	close(lines[1]);
	return NULL;
}

static void *flush_all(void *argument)
{
	(void)argument;
	while (!stop)
		fflush(NULL);
	return NULL;
}

TEST(fork_while_stdio_allocates_does_not_close_the_circle)
{
	pthread_t reader, writer, flusher;

	DEADLINE(240);
	EXPECT_EQ(pipe(lines), 0);
	EXPECT_EQ(pthread_create(&reader, NULL, read_lines, NULL), 0);
	EXPECT_EQ(pthread_create(&writer, NULL, write_lines, NULL), 0);
	EXPECT_EQ(pthread_create(&flusher, NULL, flush_all, NULL), 0);
	for (int i = 0; i < 500; i++) {
		pid_t child = fork();

		if (child == 0) {
			churn(9, 30);
			fclose(fopen("/dev/null", "w"));
			_exit(0);
		}
		expect_good_end(child);
	}
	stop = true;
	pthread_join(flusher, NULL);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
}

static int handled;

static void allocate_in_handler(void)
{
	churn(3, 50);
	handled++;
}

TEST(handlers_of_pthread_atfork_may_allocate)
{
	pthread_t worker[WORKERS];

	DEADLINE(120);
	EXPECT_EQ(pthread_atfork(allocate_in_handler, allocate_in_handler,
				 allocate_in_handler),
		  0);
	start_workers(worker);
	for (int i = 0; i < 100; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		expect_good_end(child);
	}
	stop_workers(worker);
	EXPECT_EQ(handled, 200);
}

TEST(a_child_by__Fork_goes_on_allocating)
{
	for (int i = 0; i < 100; i++) {
		pid_t child = _Fork();

		if (child == 0) {
			churn(8, 100);
			_exit(0);
		}
		churn(7, 20);
		expect_good_end(child);
	}
}

/* It shares the parent's memory, and runs while the other threads run. */
static void allocate_in_vfork_child(void)
{
	static char *volatile block;
	pid_t child = vfork();

	if (child == 0) {
		for (int i = 0; i < 200; i++) {
			block = malloc((size_t)i * 40 + 1);
			block[0] = 1;
			free(block);
		}
		block = malloc(100);
		block[99] = 7;
		_exit(0);
	}
	expect_good_end(child);
	EXPECT_EQ(block[99], 7);
	free(block);
}

TEST(a_child_by_vfork_may_allocate)
{
	pthread_t worker[WORKERS];

	DEADLINE(120);
	start_workers(worker);
	for (int i = 0; i < 500; i++) {
		allocate_in_vfork_child();
		churn(6, 20);
	}
	stop_workers(worker);
}

TEST(vfork_execs_and_returns_twice)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	expect_good_end(child);
}

TEST(posix_spawn_and_popen_work)
{
	char *const argv[] = { (char *)"true", NULL };
	char text[64];

	for (int i = 0; i < 20; i++) {
		pid_t child;
		FILE *file = popen("echo from a shell", "r");

		EXPECT(fgets(text, sizeof(text), file));
		EXPECT_EQ(strcmp(text, "from a shell\n"), 0);
		EXPECT_EQ(pclose(file), 0);
		EXPECT_EQ(posix_spawn(&child, "/bin/true", NULL, NULL, argv,
				      environ),
			  0);
		expect_good_end(child);
	}
}
