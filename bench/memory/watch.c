/* SPDX-License-Identifier: MIT */
/* Reads /proc/self without allocating, keeps a curve, and reports it. */
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	POINTS_MAX = 1024,
	TOUCH_STEP = 4096, /* the smallest page of any Linux */
};

struct point {
	uint64_t ns;
	size_t heap_kib;
	size_t live_bytes;
};

static struct {
	size_t own_kib;
	uint64_t watching_ns; /* CPU time spent on points of the curve */
	uint64_t curve_start_ns;
	size_t points;
	struct point curve[POINTS_MAX];
} watch;

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID) - watch.watching_ns;
}

void sleep_ns(uint64_t ns)
{
	struct timespec rest = { .tv_sec = (time_t)(ns / 1000000000),
				 .tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&rest, NULL);
}

void die(const char *message)
{
	dprintf(STDERR_FILENO, "%s\n", message);
	_exit(1);
}

void *own_table(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (table == MAP_FAILED)
		die("no memory for the program's own tables");
	watch.own_kib += (bytes + page - 1) / page * page / 1024;
	return table;
}

/* The number after @key in @text, which has lines of "key: number kB". */
static size_t find_kib(const char *text, const char *key)
{
	const char *line = strstr(text, key);

	if (!line)
		die("/proc/self has no figure of that name");
	return strtoul(line + strlen(key), NULL, 10);
}

static void read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		die("cannot open a file of /proc/self");
	while (length < room - 1 &&
	       (got = read(fd, text + length, room - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	close(fd);
}

size_t heap_kib(void)
{
	char text[8192];

	read_text("/proc/self/status", text, sizeof(text));
	return find_kib(text, "RssAnon:") + find_kib(text, "RssShmem:") -
	       watch.own_kib;
}

size_t private_dirty_kib(void)
{
	char text[8192];

	read_text("/proc/self/smaps_rollup", text, sizeof(text));
	return find_kib(text, "Private_Dirty:");
}

void *touched(size_t bytes)
{
	char *block = malloc(bytes);

	if (!block)
		die("malloc gave no memory");
	for (size_t at = 0; at < bytes; at += TOUCH_STEP)
		((volatile char *)block)[at] = 1;
	((volatile char *)block)[bytes - 1] = 1;
	return block;
}

void curve_point(size_t live_bytes)
{
	uint64_t before = read_clock(CLOCK_THREAD_CPUTIME_ID);
	struct point *point = &watch.curve[watch.points];

	if (watch.points == POINTS_MAX)
		die("the curve has too many points");
	if (watch.points == 0)
		watch.curve_start_ns = now_ns();
	*point = (struct point){ .ns = now_ns() - watch.curve_start_ns,
				 .heap_kib = heap_kib(),
				 .live_bytes = live_bytes };
	watch.points++;
	watch.watching_ns += read_clock(CLOCK_THREAD_CPUTIME_ID) - before;
}

void report(double ns, const struct figure *figures, size_t count)
{
	printf("{\"ns\": %.3f, \"own_kib\": %zu, \"figures\": {", ns,
	       watch.own_kib);
	for (size_t i = 0; i < count; i++)
		printf("%s\"%s\": %.6g", i ? ", " : "", figures[i].name,
		       figures[i].value);
	printf("}, \"curve\": [");
	for (size_t i = 0; i < watch.points; i++)
		printf("%s[%.6f, %zu, %zu]", i ? ", " : "",
		       (double)watch.curve[i].ns / 1e9, watch.curve[i].heap_kib,
		       watch.curve[i].live_bytes / 1024);
	printf("]}\n");
}
