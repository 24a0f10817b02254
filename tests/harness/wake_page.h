/* SPDX-License-Identifier: MIT */
/*
 * For the tests of the layers below the heap: wake the layers up to page/, as
 * heap/init.c does, and fail system calls one by one.
 *
 * SM_TEST_PAGE_SHIFT (log2 of the bytes) and SM_TEST_INDEX (a word, as in
 * SLUBMALLOC=index:) choose what the system would.
 */
#ifndef HARNESS_WAKE_PAGE_H
#define HARNESS_WAKE_PAGE_H

#include "page/page.h"

#include "test.h"

enum {
	KIB = 1 << 10,
	MIB = 1 << 20,
	WINDOW_MIN = 16 * MIB, /* the least that a zone is made of */
	UNFINISHED = 2,	       /* exit status: more calls than were made */
};

static inline enum cpu_index test_cpu_index(void)
{
	const char *const words[] = { "auto", "cpu_id", "mm_cid", "none" };
	const char *wanted = getenv("SM_TEST_INDEX");

	for (int i = 0; wanted && i < 4; i++) {
		if (strcmp(words[i], wanted) == 0)
			return (enum cpu_index)i;
	}
	return CPU_INDEX_AUTO;
}

static inline void wake_os(void)
{
	const char *shift = getenv("SM_TEST_PAGE_SHIFT");

	os_page_size_init(shift ? (unsigned int)atoi(shift) : 0);
	os_cpu_init(test_cpu_index());
	EXPECT(gate_enter(GATE_BRIEFLY));
}

/* @window bytes of addresses in the first zone; all free memory is kept. */
static inline void wake_pages(size_t window)
{
	const struct page_options options = {
		.window = window,
		.retain = (size_t)1 << 40,
		.cpus = os_cpu_limit(),
	};

	wake_os();
	EXPECT(page_init(&options));
}

static inline size_t pages_of(size_t bytes)
{
	return (bytes + os_page_bytes() - 1) >> os_page_shift;
}

static inline bool is_filled(const void *start, size_t bytes, int fill)
{
	const unsigned char *at = start;

	return bytes == 0 ||
	       (at[0] == fill && memcmp(at, at + 1, bytes - 1) == 0);
}

/* Run @attempt in a process of its own, with @count system calls from the @nth
 * on failing. False if it made fewer than @nth. */
static inline bool attempt_failing(void (*attempt)(void), size_t nth,
				   size_t count)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		size_t before = os_call_count();

		os_fail_nth(nth, count);
		attempt();
		_exit(os_call_count() - before < nth ? UNFINISHED : 0);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNFINISHED)
		return false;
	if (status != 0)
		FAIL("status 0x%x when system call %zu fails, %s",
		     (unsigned int)status, nth,
		     count == 1 ? "alone" : "and all after it");
	return true;
}

/* For each n: @attempt with the nth call failing, and with all from there. It
 * shall cope, and tell by EXPECT() if it can't. */
static inline void fail_each_call(void (*attempt)(void))
{
	size_t nth = 0;

	do {
		nth++;
	} while (attempt_failing(attempt, nth, 1) &&
		 attempt_failing(attempt, nth, SIZE_MAX));
	EXPECT(nth > 1); /* at least one call was made to fail */
}

#endif
