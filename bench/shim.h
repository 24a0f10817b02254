/* SPDX-License-Identifier: MIT */
/*
 * Google Benchmark for programs in C.
 *
 * A benchmark is a function that does its operation once for each time that
 * bench_next() returns true; a table gives it a name, an argument, and how many
 * operations make a run:
 *
 *	static void pair(struct bench *bench)
 *	{
 *		while (bench_next(bench)) {
 *			void *block = malloc(bench->argument);
 *
 *			bench_use(block);
 *			free(block);
 *		}
 *	}
 *
 *	static const struct bench_row rows[] = {
 *		{ "pair/64", pair, 64, 20000000 },
 *	};
 *	BENCH_ROWS(rows)
 *
 * The number of operations is fixed, so that every allocator does the same
 * work; --operations=N gives another. `--benchmark_filter=^pair/64/` chooses a
 * row: Google Benchmark appends how often it is run to its name. Each row
 * reports, too, what the program occupies when the function has returned.
 *
 * The programs link no allocator: each is run under every one by preload.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench {
	void *state;
	int64_t left;  /* operations before the harness is asked again */
	long argument; /* the one in the table */
};

struct bench_row {
	const char *name;
	void (*function)(struct bench *bench);
	long argument;
	int64_t operations; /* in one run */
};

struct bench_rows {
	const struct bench_row *rows;
	size_t count;
	struct bench_rows *next; /* written by bench_register() */
};

/* Make the rows known; they stay the caller's. */
void bench_register(struct bench_rows *rows);

#define BENCH_ROWS(table)                                                  \
	static struct bench_rows bench_rows = {                            \
		table, sizeof(table) / sizeof((table)[0]), NULL            \
	};                                                                 \
	__attribute__((constructor)) static void register_bench_rows(void) \
	{                                                                  \
		bench_register(&bench_rows);                               \
	}

/*
 * The number of operations to do now, all of them; the clock runs from here to
 * the second call, which returns 0.
 */
int64_t bench_batch(struct bench *bench);

/*
 * Whether @count operations more are to be done. Cheap. The last ones may be
 * too many, so rows that count in bursts have whole bursts in their tables.
 */
static inline bool bench_next_burst(struct bench *bench, int64_t count)
{
	if (__builtin_expect(bench->left <= 0, 0))
		bench->left = bench_batch(bench);
	bench->left -= count;
	return bench->left + count > 0;
}

/* Whether the operation is to be done once more. */
static inline bool bench_next(struct bench *bench)
{
	return bench_next_burst(bench, 1);
}

/* Let the compiler believe that @pointer and what is there is used. */
static inline void bench_use(void *pointer)
{
	__asm__ volatile("" : : "r"(pointer) : "memory");
}

/* Write a byte in every @step of @block, and its first one in any case. */
static inline void bench_write(void *block, size_t size, size_t step)
{
	volatile char *bytes = (volatile char *)block;

	bytes[0] = 1;
	for (size_t i = step; i < size; i += step)
		bytes[i] = 1;
}

#ifdef __cplusplus
}
#endif

#endif
