/* SPDX-License-Identifier: MIT */
/*
 * The end of the road, and three prices of one check.
 *
 * A panic is for misuse by the program (a double free) and for our own broken
 * invariants: one line on standard error, then abort(3). It allocates nothing
 * and takes no lock, so it can be reached from anywhere.
 */
#ifndef BASE_PANIC_H
#define BASE_PANIC_H

#include <stdbool.h>

#include "base/compiler.h"

#ifndef SM_CHECKS
#define SM_CHECKS 0
#endif

/* Say @what about @address on standard error, then abort. */
_Noreturn COLD void panic(const char *what, const void *address);

/* Never off: for the x_check() functions and for misuse. */
#define MUST(cond) ((cond) ? (void)0 : panic("broken: " #cond, 0))
/* O(1), on from -Dchecks=cheap; O(n), on from -Dchecks=full. */
#define CHECK(cond) \
	((SM_CHECKS < 1 || (cond)) ? (void)0 : panic("broken: " #cond, 0))
#define CHECK_FULL(cond) \
	((SM_CHECKS < 2 || (cond)) ? (void)0 : panic("broken: " #cond, 0))

/*
 * Line @line, without a newline, on standard error with "slubmalloc: " before
 * it. Not a cancellation point; errno is kept.
 */
COLD void complain(const char *line);

#endif
