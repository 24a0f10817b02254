/* SPDX-License-Identifier: MIT */
/*
 * Google Benchmark for programs in C.
 *
 * A benchmark is a function that does its work once for each time that
 * bench_next() returns true:
 *
 *	static void pair(struct bench *bench)
 *	{
 *		while (bench_next(bench))
 *			free(malloc(64));
 *	}
 *	BENCHMARK_IN_C(pair)
 *
 * The programs link no allocator: each is run under every one by preload.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench;

typedef void (*bench_function)(struct bench *bench);

/* How many times the work is to be done before the next question. */
int64_t bench_batch(struct bench *bench);

/* Make @function known as @name. */
void bench_register(const char *name, bench_function function);

/* Whether the work is to be done once more. Cheap: the harness is asked for a
 * batch at a time. */
struct bench {
	void *state;
	int64_t left;
};

static inline bool bench_next(struct bench *bench)
{
	if (__builtin_expect(bench->left == 0, 0))
		bench->left = bench_batch(bench);
	return bench->left-- > 0;
}

/* Let the compiler believe that @pointer is used. */
static inline void bench_use(void *pointer)
{
	__asm__ volatile("" : : "r"(pointer) : "memory");
}

/* Pseudo-random numbers, the same in every run. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#define BENCHMARK_IN_C(function)                                           \
	__attribute__((constructor)) static void register_##function(void) \
	{                                                                  \
		bench_register(#function, function);                       \
	}

#ifdef __cplusplus
}
#endif

#endif
