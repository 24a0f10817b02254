/* SPDX-License-Identifier: MIT */
/*
 * What the programs that measure the preloaded library share. They allocate
 * through libc's names only, and need the library in LD_PRELOAD.
 */
#ifndef PROGRAMS_LIMITS_H
#define PROGRAMS_LIMITS_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	KIB = 1 << 10,
	MIB = 1 << 20,
	GIB = 1 << 30
};

/* End as a failure unless @holds, after saying what was @found. */
static inline void expect_limit(int holds, const char *what, size_t found,
				size_t limit)
{
	printf("%s: %zu KiB, limit %zu KiB%s\n", what, found / KIB, limit / KIB,
	       holds ? "" : ": FAILED");
	fflush(stdout);
	if (!holds)
		exit(1);
}

/* Bytes of this process in memory, as the kernel's page tables have it. */
static inline size_t resident_bytes(void)
{
	char text[4096];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);
	const char *rss;

	close(fd);
	text[len > 0 ? len : 0] = '\0';
	rss = strstr(text, "Rss:");
	if (!rss) {
		perror("/proc/self/smaps_rollup");
		exit(1);
	}
	return strtoul(rss + 4, NULL, 10) * KIB;
}

/* End as a failure unless the library in LD_PRELOAD is mapped. */
static inline void require_preload(void)
{
	const char *preload = getenv("LD_PRELOAD");
	char *library = preload ? realpath(preload, NULL) : NULL;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096];
	int found = 0;

	while (library && maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, library) != NULL;
	if (maps)
		fclose(maps);
	free(library);
	if (!found) {
		fprintf(stderr, "no library is preloaded\n");
		exit(1);
	}
}

/* The next number of the sequence that starts at *@state. */
static inline uint32_t next_number(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

#endif
