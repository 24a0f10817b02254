/* SPDX-License-Identifier: MIT */
/* Many objects are taken, then all given back, first or last one first. */
#include <stdlib.h>

#include "shim.h"

enum {
	OBJECTS_MAX = 10000,
	OBJECT_BYTES = 64,
};

static void *objects[OBJECTS_MAX];

static void take_objects(long count)
{
	for (long i = 0; i < count; i++) {
		objects[i] = malloc(OBJECT_BYTES);
		*(volatile char *)objects[i] = 1;
	}
}

static void burst_in_order(struct bench *bench)
{
	long count = bench->argument;

	while (bench_next_burst(bench, count)) {
		take_objects(count);
		for (long i = 0; i < count; i++)
			free(objects[i]);
	}
}

static void burst_reverse(struct bench *bench)
{
	long count = bench->argument;

	while (bench_next_burst(bench, count)) {
		take_objects(count);
		for (long i = count; i > 0; i--)
			free(objects[i - 1]);
	}
}

static const struct bench_row rows[] = {
	{ "burst/in_order/64", burst_in_order, 64, 64 * 500000 },
	{ "burst/in_order/10000", burst_in_order, 10000, 10000 * 2000 },
	{ "burst/reverse/64", burst_reverse, 64, 64 * 500000 },
	{ "burst/reverse/10000", burst_reverse, 10000, 10000 * 2000 },
};
BENCH_ROWS(rows)
