/* SPDX-License-Identifier: MIT */
/*
 * What a fuzzer is made of. The driver, fuzz.c, turns the input into calls of
 * the operations that a fuzzer names; the fuzzer makes them on the allocator
 * and on the shadow. Where the input says so, system calls fail during an
 * operation.
 *
 * With SM_FUZZ_TRACE in the environment every operation is told on standard
 * error.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "shadow.h"

typedef void (*fuzz_operation)(struct input *input);

/* A fuzzer: each defines one, called fuzzer. */
struct fuzzer {
	/* Wake the layers; called once in the life of a process. */
	void (*start)(void);
	/* What an input is made of. One that is named twice is twice as likely.
	 */
	const fuzz_operation *operations;
	size_t nr_operations; /* below 64 */
	/* Panic if a structure is broken. After every few operations. */
	void (*check)(void);
	/* Free everything, and find out whether something is left. */
	void (*finish)(void);
	/* The functions are called inside the gate. */
	bool is_inside_gate;
};

extern const struct fuzzer fuzzer;

/* End with a message; the engine keeps the input. */
_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define FUZZ_FAIL(...) fuzz_fail(__FILE__, __LINE__, __VA_ARGS__)

#define FUZZ_EXPECT(condition)                                \
	do {                                                  \
		if (!(condition))                             \
			FUZZ_FAIL("%s is false", #condition); \
	} while (0)

/* Tell what is done, if somebody wants to know. */
void fuzz_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The allocator has refused what it should be able to do: that is right only if
 * a system call was made to fail. No further call fails in this operation, so
 * that another try must succeed.
 */
void fuzz_forgive(void);

/* No system call fails from here to the end of the operation. */
void fuzz_end_faults(void);

/*
 * Everything has been freed: give all pages back, and see that none is left.
 * Nothing more may be mapped than when this was called before, unless it
 * @may_grow, or for a new zone, or where failing calls kept the addresses that
 * were mapped to align something. Inside the gate.
 */
void fuzz_expect_no_leak(bool may_grow);

/*
 * Wake the lowest layer. SM_TEST_PAGE_SHIFT (log2 of the bytes) is the size of
 * a page, and SM_TEST_INDEX=none turns restartable sequences off.
 */
void fuzz_wake_os(void);

/* What the engine calls, or replay_main.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
