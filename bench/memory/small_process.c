/* SPDX-License-Identifier: MIT */
/* A program that ends at once: what does an allocator cost before it helps? */
#include "draw.h"
#include "watch.h"

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
	SPAWNS = 200,
	BLOCKS = 200, /* of a small tool, as true(1) with a locale has */
};

/* Some blocks, half of them freed again, as small tools do before they exit. */
static int run_once(void)
{
	void *blocks[BLOCKS];
	uint64_t random = BENCH_SEED;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = touched(draw_size(&random, &mix_usual));
	for (int i = 0; i < BLOCKS; i += 2)
		free(blocks[i]);
	return 0;
}

static void spawn(char *program)
{
	char *arguments[] = { program, "once", NULL };
	pid_t child;
	int status;

	if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments,
			environ) != 0)
		die("cannot spawn");
	if (waitpid(child, &status, 0) < 0 || status != 0)
		die("the spawned program failed");
}

/* CPU time of all that was spawned. */
static uint64_t children_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
		       1000000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
		       1000;
}

int main(int argc, char **argv)
{
	uint64_t start;

	if (argc != 2)
		die("usage: memory_small_process once|spawn");
	if (strcmp(argv[1], "once") == 0)
		return run_once();
	start = cpu_ns();
	for (int i = 0; i < SPAWNS; i++)
		spawn(argv[0]);
	report((double)(cpu_ns() - start + children_ns()) / SPAWNS, NULL, 0);
	return 0;
}
