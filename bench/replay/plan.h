/* SPDX-License-Identifier: MIT */
/*
 * A trace as what each thread has to do.
 *
 * A thread's part is a lane: words of 64 bits, in order. A block that is live
 * has a slot, which holds its address. Blocks that the thread that made them
 * also takes share slots, one after the other, so that the replay's own memory
 * is as small as the program's was; a block that one thread hands to another
 * has a slot to itself, and whoever needs it waits until the slot is filled.
 *
 * Each lane also says when to start another, and when to wait for others: a
 * step is as many calls of the trace, and no thread is more than one ahead of
 * any other.
 */
#ifndef REPLAY_PLAN_H
#define REPLAY_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "trace_file.h"

enum step {
	STEP_MALLOC,  /* slot, size */
	STEP_CALLOC,  /* slot, size */
	STEP_ALIGNED, /* slot, size; a word with log2 of the alignment */
	STEP_REALLOC, /* new slot, size; a word with the old slot, size */
	STEP_FREE,    /* slot, size */
	STEP_FREE_NULL,
	STEP_USABLE, /* slot */
	STEP_START,  /* the lane in place of the slot */
	STEP_WAIT    /* the time in place of the size */
};

enum {
	WORD_SLOT_BITS = 28,
	WORD_STEP_BITS = 4,
	PLAN_TICK = 1024 /* calls that are one unit of time */
};

#define WORD_SLOT(word) ((word) >> WORD_STEP_BITS & ((1 << WORD_SLOT_BITS) - 1))
#define WORD_STEP(word) ((enum step)((word) & ((1 << WORD_STEP_BITS) - 1)))
#define WORD_SIZE(word) ((word) >> (WORD_STEP_BITS + WORD_SLOT_BITS))

struct lane {
	const uint64_t *words;
	size_t count;
	uint32_t time; /* of its first call */
};

struct plan {
	struct lane *lanes;
	unsigned int lane_count;
	size_t slot_count;
	uint64_t calls;
	uint64_t live_peak; /* bytes, as the program asked for them */
};

/* What to do for @file; the program ends if it can't be done. */
struct plan plan_make(const struct trace_file *file);

#endif
