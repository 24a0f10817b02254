/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the surface share. Each of them is a plain program that is
 * started with the library preloaded; by itself it tests libc's own malloc,
 * where the claims hold as well, save those that begin with EXPECT_OURS().
 */
#ifndef SURFACE_SURFACE_H
#define SURFACE_SURFACE_H

#include "test.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C"
#else
extern
#endif
	int
	sm_owns(const void *block) __attribute__((weak));

/* Only slubmalloc promises what follows; without it there's nothing to test. */
#define EXPECT_OURS()                                          \
	do {                                                   \
		if (!sm_owns && getenv("LD_PRELOAD"))          \
			FAIL("the library is not preloaded");  \
		if (!sm_owns)                                  \
			SKIP("libc does not promise as much"); \
	} while (0)

/* The test is at fault if it is not through in @seconds: a deadlock. */
#define DEADLINE(seconds) alarm(seconds)

/* @value, of which the compiler knows nothing: it would warn, or know better.
 */
static inline size_t opaque(size_t value)
{
	__asm__ volatile("" : "+r"(value));
	return value;
}

static inline void *opaque_pointer(const void *pointer)
{
	return (void *)opaque((size_t)pointer);
}

/* A number of /proc/self/status, in bytes. */
static inline size_t process_bytes(const char *field)
{
	char line[256];
	size_t kib = 0;
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = strtoul(line + strlen(field) + 1, NULL, 10);
	if (status)
		fclose(status);
	return kib * 1024;
}

/* Bytes of this process that are in memory. */
static inline size_t resident_bytes(void)
{
	return process_bytes("VmRSS");
}

/*
 * Limit the address space to @bytes more than is in use. The first call lets
 * the library give back what it only keeps in reserve.
 */
static inline void limit_to_growth(size_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		FAIL("no limits here");
	limit.rlim_cur = process_bytes("VmSize") + bytes;
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		FAIL("no limit of %zu bytes", (size_t)limit.rlim_cur);
}

/* Fill @size bytes with what only @tag has, and look whether it is all there.
 */
static inline void stamp(void *block, size_t size, unsigned int tag)
{
	memset(block, (int)(tag % 251 + 1), size);
}

static inline bool is_stamped(const void *block, size_t size, unsigned int tag)
{
	const unsigned char *byte = (const unsigned char *)block;

	for (size_t i = 0; i < size; i++)
		if (byte[i] != tag % 251 + 1)
			return false;
	return true;
}

static inline bool is_zero(const void *block, size_t size)
{
	const unsigned char *byte = (const unsigned char *)block;

	for (size_t i = 0; i < size; i++)
		if (byte[i])
			return false;
	return true;
}

/*
 * Start this program again, for the tests whose names contain @filter, with
 * @variable=@value in its environment. Returns what it says on standard error
 * in @text, and its exit status.
 */
static inline int run_again(const char *filter, const char *variable,
			    const char *value, char *text, size_t size)
{
	int status, out[2];
	pid_t child;

	if (pipe(out) < 0 || (child = fork()) < 0)
		FAIL("no process");
	if (child == 0) {
		setenv(variable, value, 1);
		dup2(out[1], STDERR_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/proc/self/exe", "again", filter, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	test_read_all(out[0], text, size);
	close(out[0]);
	waitpid(child, &status, 0);
	return status;
}

#endif
