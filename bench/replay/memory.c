/* SPDX-License-Identifier: MIT */
/* Memory by mmap(2), and what the kernel says of the process's memory. */
#include "memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail.h"

enum {
	PAGE_BYTES = 4096,
	KIB = 1024
};

static size_t own_bytes;

static size_t whole_pages(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

void *memory_map(size_t bytes)
{
	void *memory =
		mmap(NULL, whole_pages(bytes + 1), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		fail("no memory for the replay itself (%zu bytes)", bytes);
	own_bytes += whole_pages(bytes + 1);
	return memory;
}

void memory_unmap(void *memory, size_t bytes)
{
	munmap(memory, whole_pages(bytes + 1));
	own_bytes -= whole_pages(bytes + 1);
}

size_t memory_own_bytes(void)
{
	return own_bytes;
}

/* The number after @key in a file of /proc, where it is in KiB; or 0. */
static long read_kib(const char *path, const char *key)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *found;

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	found = strstr(text, key);
	return found ? strtol(found + strlen(key), NULL, 10) : 0;
}

/* 5 is the command for this; see proc(5). */
void memory_reset_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "5", 1) != 1)
		note("the peak of memory includes reading the trace");
	if (fd >= 0)
		close(fd);
}

long memory_peak_kib(void)
{
	return read_kib("/proc/self/status", "VmHWM:") -
	       (long)(own_bytes / KIB);
}

/* As the page tables have it: the counters in statm are only nearly right. */
long memory_now_kib(void)
{
	return read_kib("/proc/self/smaps_rollup", "Rss:") -
	       (long)(own_bytes / KIB);
}
