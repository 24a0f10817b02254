/* SPDX-License-Identifier: MIT */
/*
 * The format of a trace of allocation calls; docs/design/traces.md has it byte
 * by byte.
 *
 * A number is LEB128: seven bits a byte, lowest first, the eighth bit set in
 * all but the last byte. A trace is TRACE_MAGIC, the length of the program's
 * name and that name, and then one event after the other. The first number of
 * an event holds an operation in its lowest bits and an operand above them.
 *
 * Blocks have no addresses here. Each call that returns a block gives it the
 * next number, and a call that takes one says how many numbers back it is: 1 is
 * the block that came last, 0 is NULL.
 */
#ifndef RECORD_TRACE_H
#define RECORD_TRACE_H

#define TRACE_MAGIC "SLUBTRC1"

enum {
	TRACE_MAGIC_BYTES = 8,
	TRACE_NAME_MAX = 63,	/* bytes of the program's name */
	TRACE_OP_BITS = 3,	/* of the first number of an event */
	TRACE_NUMBER_BYTES = 10 /* a number has at most */
};

enum trace_op {
	TRACE_MARK,    /* one of enum trace_mark */
	TRACE_MALLOC,  /* size */
	TRACE_CALLOC,  /* size, both factors multiplied */
	TRACE_ALIGNED, /* size; log2 of the alignment */
	TRACE_REALLOC, /* block; new size. The block has a new number then */
	TRACE_FREE,    /* block */
	TRACE_USABLE,  /* block: malloc_usable_size() */
	TRACE_OPS
};

enum trace_mark {
	TRACE_UNWRITTEN, /* nothing follows: the recorder was stopped */
	TRACE_END,	 /* nothing follows, and all is well; number of calls */
	TRACE_THREAD	 /* what follows is done by thread operand - this */
};

#endif
