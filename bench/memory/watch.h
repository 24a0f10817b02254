/* SPDX-License-Identifier: MIT */
/* What a program's heap costs, watched from inside without using it. */
#ifndef BENCH_MEMORY_WATCH_H
#define BENCH_MEMORY_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The programs of this folder measure the allocator that was preloaded, so
 * nothing in here allocates from it. Their own tables come from own_table(),
 * are resident from the start, and count for nothing: "heap" is what the
 * process holds beyond them that isn't a file's (RssAnon + RssShmem).
 */

/* Nanoseconds of a clock that only goes forward. */
uint64_t now_ns(void);

/*
 * Nanoseconds of CPU time of the process, all its threads, without what the
 * watch needed: what work has cost, whoever else uses the machine.
 */
uint64_t cpu_ns(void);

void sleep_ns(uint64_t ns);

/* @bytes of zeroed memory of the program's own; ends the program if refused. */
void *own_table(size_t bytes);

size_t heap_kib(void);

/* Pages that only this process has, and has written: after a fork, copies. */
size_t private_dirty_kib(void);

/* Write @message to standard error and end the program as failed. */
_Noreturn void die(const char *message);

/* malloc, or end the program; every page of it touched, and its end. */
void *touched(size_t bytes);

/*
 * A further point of the curve: the heap now, with @live_bytes asked for.
 * More points than there is room for end the program.
 */
void curve_point(size_t live_bytes);

/*
 * The program's result on one line: @ns, its cost; the curve; the size of
 * its own tables; and @count figures by name.
 */
struct figure {
	const char *name;
	double value;
};
void report(double ns, const struct figure *figures, size_t count);

#endif
