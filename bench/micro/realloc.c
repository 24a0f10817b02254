/* SPDX-License-Identifier: MIT */
/* Arrays that grow, as vectors and strings do; what is new is written. */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

enum {
	FIRST_BYTES = 16,
	DOUBLED_BYTES = 16 << 20,
	STEP_BYTES = 256,
	STEPPED_BYTES = 1 << 20,
	STEPS = STEPPED_BYTES / STEP_BYTES,
};

/* An operation is the life of an array, from 16 bytes to 16 MiB. */
static void realloc_double(struct bench *bench)
{
	while (bench_next(bench)) {
		char *array = memset(malloc(FIRST_BYTES), 1, FIRST_BYTES);

		for (size_t size = FIRST_BYTES; size < DOUBLED_BYTES;
		     size *= 2) {
			array = realloc(array, size * 2);
			memset(array + size, 1, size);
			bench_use(array);
		}
		free(array);
	}
}

/* An operation is a step, of 4096 up to a MiB. */
static void realloc_steps(struct bench *bench)
{
	while (bench_next_burst(bench, STEPS)) {
		char *array = NULL;

		for (size_t size = 0; size < STEPPED_BYTES;
		     size += STEP_BYTES) {
			array = realloc(array, size + STEP_BYTES);
			memset(array + size, 1, STEP_BYTES);
			bench_use(array);
		}
		free(array);
	}
}

static const struct bench_row rows[] = {
	{ "realloc/double", realloc_double, 0, 20 },
	{ "realloc/steps", realloc_steps, 0, STEPS * 500 },
};
BENCH_ROWS(rows)
