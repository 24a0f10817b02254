/* SPDX-License-Identifier: MIT */
/*
 * The first call of all, when there is no memory for it: in processes of their
 * own, in which a system call of the start fails.
 */
#include <slubmalloc/slubmalloc.h>

#include <errno.h>

#include "heap/heap.h"
#include "wake_page.h"

/* The number that the variable @name is set to, or 0. */
static size_t asked(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++) {
		if (strncmp(*environment, name, len) == 0 &&
		    (*environment)[len] == '=')
			return strtoull(*environment + len + 1, NULL, 0);
	}
	return 0;
}

/* Before every constructor, the heap's included, and libc's: there is no
 * getenv() yet. */
static void fail_the_start_if_asked(int argc, char **argv, char **environment)
{
	(void)argc;
	(void)argv;
	os_fail_nth(asked(environment, "TEST_FAIL_NTH"),
		    asked(environment, "TEST_FAIL_COUNT"));
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(
	int, char **, char **) = fail_the_start_if_asked;

/* Behind the heap's, before main(): how it went, as an exit status. */
__attribute__((constructor)) static void try_again_if_asked(void)
{
	size_t nth = asked(environ, "TEST_FAIL_NTH");
	size_t calls = os_call_count();
	void *block;

	if (!nth)
		return;
	for (size_t size = 1; size < 10 * MIB; size *= 10) {
		errno = 0;
		block = sm_malloc(size);
		if (!block && errno != ENOMEM)
			_exit(TEST_FAILED);
		sm_free(block);
	}
	os_fail_nth(0, 0);
	for (size_t size = 1; size < 10 * MIB; size *= 10) {
		block = sm_malloc(size);
		if (!block)
			_exit(TEST_FAILED);
		memset(block, 1, size);
		sm_free(block);
	}
	page_check();
	_exit(calls < nth ? UNFINISHED : 0);
}

static int status_of_start(size_t nth, size_t count)
{
	char text[30];
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		snprintf(text, sizeof(text), "%zu", nth);
		setenv("TEST_FAIL_NTH", text, 1);
		snprintf(text, sizeof(text), "%zu", count);
		setenv("TEST_FAIL_COUNT", text, 1);
		execl("/proc/self/exe", "test_start", NULL);
		_exit(TEST_FAILED);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : status;
}

TEST(any_system_call_of_the_start_may_fail)
{
	size_t nth = 1;
	int status;

	while ((status = status_of_start(nth, 1)) == 0)
		nth++;
	EXPECT_EQ(status, UNFINISHED);
	EXPECT(nth > 3);
}

TEST(start_without_memory_is_made_up_for_later)
{
	for (size_t nth = 1; nth < 8; nth++) {
		int status = status_of_start(nth, SIZE_MAX);

		EXPECT(status == 0 || status == UNFINISHED);
	}
}
