/* SPDX-License-Identifier: MIT */
/*
 * The test framework, all of it. A test program is one source file that
 * includes this header, which brings main():
 *
 *	TEST(frees_in_any_order_merge_back_into_one_block)
 *	{
 *		EXPECT_EQ(zone.free_blocks[ORDER_MAX], 1);
 *		EXPECT_PANIC("double free", zone_free(&zone, block));
 *	}
 *
 * Every test runs in a process of its own, so that it starts from a fresh
 * state, may crash, and may fail in any thread. The output is TAP. The first
 * argument of the program, if any, selects the tests whose names contain it.
 * Nothing here allocates memory.
 */
#ifndef HARNESS_TEST_H
#define HARNESS_TEST_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

static struct test *test_first, **test_last = &test_first;

/* Define a test; the name is the claim that it proves. */
#define TEST(claim)                                                            \
	static void test_case_##claim(void);                                   \
	__attribute__((constructor)) static void test_register_##claim(void)   \
	{                                                                      \
		static struct test test = { #claim, test_case_##claim, NULL }; \
                                                                               \
		*test_last = &test;                                            \
		test_last = &test.next;                                        \
	}                                                                      \
	static void test_case_##claim(void)

enum {
	TEST_FAILED = 1,
	TEST_SKIPPED = 77
}; /* how a test's process exits */

/* A line that is for people; it belongs to the test whose result follows. */
#define TEST_NOTE(...)                                    \
	do {                                              \
		dprintf(STDOUT_FILENO, "# " __VA_ARGS__); \
		dprintf(STDOUT_FILENO, "\n");             \
	} while (0)

/* The seed of every random order: SM_TEST_SEED, or the same each time. */
static inline uint64_t test_seed(void)
{
	const char *seed = getenv("SM_TEST_SEED");

	return seed ? strtoull(seed, NULL, 0) : 1;
}

/* The next number after *@state, which may start anywhere (splitmix64). */
static inline uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* End the test. */
#define FAIL(...)                                        \
	do {                                             \
		TEST_NOTE("%s:%d:", __FILE__, __LINE__); \
		TEST_NOTE(__VA_ARGS__);                  \
		_exit(TEST_FAILED);                      \
	} while (0)

#define SKIP(...)                       \
	do {                            \
		TEST_NOTE(__VA_ARGS__); \
		_exit(TEST_SKIPPED);    \
	} while (0)

#define EXPECT(condition)                                \
	do {                                             \
		if (!(condition))                        \
			FAIL("%s is false", #condition); \
	} while (0)

/* Integers and pointers of any type; each is evaluated once. */
#define EXPECT_EQ(a, b)                                                     \
	do {                                                                \
		unsigned long test_a_ = (unsigned long)(a);                 \
		unsigned long test_b_ = (unsigned long)(b);                 \
                                                                            \
		if (test_a_ != test_b_)                                     \
			FAIL("%s is %ld (0x%lx), not %s, which is %ld "     \
			     "(0x%lx)",                                     \
			     #a, (long)test_a_, test_a_, #b, (long)test_b_, \
			     test_b_);                                      \
	} while (0)

/* All there is to read from @fd, as one line, cut to @size with its zero. */
static inline void test_read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;
	char rest[256];

	while (len < size - 1 &&
	       (got = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	for (char *c = text; (c = strchr(c, '\n'));)
		*c = ' ';
	while (read(fd, rest, sizeof(rest)) > 0)
		;
}

/* Start a process whose standard error is *@ret_fd; 0 in that process. */
static inline pid_t test_fork_to_panic(int *ret_fd)
{
	const struct rlimit no_core = { 0, 0 };
	int pipe_fd[2];
	pid_t child;

	if (pipe(pipe_fd) < 0 || (child = fork()) < 0)
		FAIL("no process for EXPECT_PANIC");
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		dup2(pipe_fd[1], STDERR_FILENO);
	}
	close(pipe_fd[1]);
	*ret_fd = pipe_fd[0];
	return child;
}

/* @expression must abort, with @message in what it says on standard error. */
#define EXPECT_PANIC(message, expression)                                  \
	do {                                                               \
		int test_fd_, test_status_;                                \
		char test_text_[4096];                                     \
		pid_t test_child_ = test_fork_to_panic(&test_fd_);         \
                                                                           \
		if (test_child_ == 0) {                                    \
			(void)(expression);                                \
			_exit(0);                                          \
		}                                                          \
		test_read_all(test_fd_, test_text_, sizeof(test_text_));   \
		close(test_fd_);                                           \
		waitpid(test_child_, &test_status_, 0);                    \
		if (!WIFSIGNALED(test_status_) ||                          \
		    WTERMSIG(test_status_) != SIGABRT)                     \
			FAIL("%s: status 0x%x, not an abort; it said: %s", \
			     #expression, (unsigned int)test_status_,      \
			     test_text_);                                  \
		if (!strstr(test_text_, message))                          \
			FAIL("%s: no \"%s\" in: %s", #expression, message, \
			     test_text_);                                  \
	} while (0)

/* The exit status that waitpid() gives for a process that runs @test. */
static inline int test_run(const struct test *test)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		test->run();
		_exit(0);
	}
	if (child > 0)
		waitpid(child, &status, 0);
	return status;
}

/* One line of TAP, and why; true unless the test has failed. */
static inline bool test_report(int number, const struct test *test, int status)
{
	bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED;
	bool passed = status == 0 || skipped;

	if (WIFSIGNALED(status))
		TEST_NOTE("ended by signal %d", WTERMSIG(status));
	if (!passed)
		TEST_NOTE("again: SM_TEST_SEED=%llu ... %s",
			  (unsigned long long)test_seed(), test->name);
	dprintf(STDOUT_FILENO, "%sok %d - %s%s\n", passed ? "" : "not ", number,
		test->name, skipped ? " # SKIP" : "");
	return passed;
}

int main(int argc, char **argv)
{
	const char *filter = argc > 1 ? argv[1] : "";
	int number = 0, failed = 0;

	for (struct test *test = test_first; test; test = test->next) {
		if (!strstr(test->name, filter))
			continue;
		number++;
		failed += !test_report(number, test, test_run(test));
	}
	dprintf(STDOUT_FILENO, "1..%d\n# %d passed, %d failed\n", number,
		number - failed, failed);
	return number == 0 || failed > 0;
}

#endif
