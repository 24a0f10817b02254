/* SPDX-License-Identifier: MIT */
/* A trace as a sequence of calls. What is no trace ends the program. */
#ifndef REPLAY_TRACE_READ_H
#define REPLAY_TRACE_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"
#include "trace_file.h"

/* One call. Blocks and threads have numbers, from 1 and from 0. */
struct call {
	enum trace_op op;
	unsigned int thread;
	uint64_t taken;	    /* the block it was given, 0 if that is NULL */
	uint64_t given;	    /* the block it returned, 0 if it returns none */
	uint64_t size;	    /* of the block it returned */
	unsigned int shift; /* TRACE_ALIGNED: log2 of the alignment */
};

struct trace_reader {
	const struct trace_file *file;
	size_t at; /* the next byte */
	unsigned int thread;
	unsigned int threads; /* seen so far */
	uint64_t calls;	      /* so far */
	uint64_t numbers;     /* given to blocks so far */
	bool is_complete;     /* the mark of the end has been seen */
	char program[TRACE_NAME_MAX + 1];
};

/* Start at the first call. */
struct trace_reader trace_reader_start(const struct trace_file *file);

/* The next call, or false if there is none. */
bool trace_reader_next(struct trace_reader *reader, struct call *ret_call);

#endif
