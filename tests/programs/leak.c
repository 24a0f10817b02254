/* SPDX-License-Identifier: MIT */
/*
 * For valgrind: leaks LEAK_BLOCKS blocks of LEAK_BYTES in all, and has a peak
 * of memory that is the same under every allocator.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LEAKS = 7,
	LEAK_SIZE = 1001,
	BLOCKS = 20000
};

static void *block[BLOCKS];

/* Each kind of allocation; the sizes sum up to some 13 MB. */
static void *allocate_block(size_t i)
{
	size_t size = i % 97 * 13 + 1;
	void *aligned = NULL;

	switch (i % 5) {
	case 0:
		return calloc(i % 7 + 1, i % 90 + 1);
	case 1:
		return realloc(malloc(size), size * 2);
	case 2:
		return posix_memalign(&aligned, 64, size) ? NULL : aligned;
	case 3:
		return memalign(256, size);
	default:
		return malloc(size);
	}
}

int main(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		block[i] = allocate_block(i);
		if (!block[i])
			return 1;
		memset(block[i], 1, 1);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		free(block[i]);
	for (int i = 0; i < LEAKS; i++) {
		char *lost = malloc(LEAK_SIZE);

		if (!lost)
			return 1;
		lost[0] = 1;
	}
	printf("%d bytes in %d blocks\n", LEAKS * LEAK_SIZE, LEAKS);
	return 0;
}
