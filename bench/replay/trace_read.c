/* SPDX-License-Identifier: MIT */
/* Decoding the format of tools/record/trace.h. */
#include "trace_read.h"

#include <string.h>

#include "fail.h"

enum {
	THREADS_MAX = 1 << 16,
	SHIFT_MAX = 63
};

/* The end of the program: something is wrong at the byte that is next. */
#define fail_at(reader, what)                                               \
	fail("%s: %s, at byte %zu, after %llu calls", (reader)->file->path, \
	     what, (reader)->at, (unsigned long long)(reader)->calls)

static unsigned char read_byte(struct trace_reader *reader)
{
	if (reader->at >= reader->file->len)
		fail_at(reader, "the trace is cut off");
	return reader->file->bytes[reader->at++];
}

static uint64_t read_number(struct trace_reader *reader)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		unsigned char byte = read_byte(reader);

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	fail_at(reader, "the trace is damaged: a number without end");
}

struct trace_reader trace_reader_start(const struct trace_file *file)
{
	struct trace_reader reader = { .file = file };
	size_t len;

	if (file->len == 0)
		fail("%s: empty: nothing was recorded. A program that is "
		     "linked "
		     "statically can't be, nor one with privileges",
		     file->path);
	if (file->len < TRACE_MAGIC_BYTES ||
	    memcmp(file->bytes, TRACE_MAGIC, TRACE_MAGIC_BYTES) != 0)
		fail("%s: not a trace of slubrun --record", file->path);
	reader.at = TRACE_MAGIC_BYTES;
	len = read_number(&reader);
	if (len > TRACE_NAME_MAX)
		fail_at(&reader, "the trace is damaged: its name is too long");
	for (size_t i = 0; i < len; i++)
		reader.program[i] = (char)read_byte(&reader);
	return reader;
}

/* What @mark says; false if it is the end. */
static bool read_mark(struct trace_reader *reader, uint64_t mark)
{
	if (mark == TRACE_UNWRITTEN)
		return false;
	if (mark == TRACE_END) {
		if (read_number(reader) != reader->calls)
			fail_at(reader, "the trace is damaged: it has lost "
					"calls");
		if (reader->at != reader->file->len)
			fail_at(reader, "the trace is damaged: it goes on "
					"after its end");
		reader->is_complete = true;
		return false;
	}
	mark -= TRACE_THREAD;
	if (mark > reader->threads || mark >= THREADS_MAX)
		fail_at(reader, "the trace is damaged: no such thread");
	reader->thread = (unsigned int)mark;
	reader->threads += mark == reader->threads;
	return true;
}

/* The block that is @distance numbers back; 0 for NULL. */
static uint64_t block_back(struct trace_reader *reader, uint64_t distance)
{
	if (distance > reader->numbers)
		fail_at(reader, "the trace is damaged: no such block");
	return distance ? reader->numbers + 1 - distance : 0;
}

static void read_call(struct trace_reader *reader, uint64_t operand,
		      struct call *call)
{
	switch (call->op) {
	case TRACE_MALLOC:
	case TRACE_CALLOC:
	case TRACE_ALIGNED:
		call->size = operand;
		if (call->op == TRACE_ALIGNED)
			call->shift = (unsigned int)read_number(reader);
		if (call->shift > SHIFT_MAX)
			fail_at(reader, "the trace is damaged: no such "
					"alignment");
		call->given = ++reader->numbers;
		break;
	case TRACE_REALLOC:
		call->taken = block_back(reader, operand);
		call->size = read_number(reader);
		call->given = ++reader->numbers;
		break;
	case TRACE_FREE:
	case TRACE_USABLE:
		call->taken = block_back(reader, operand);
		break;
	default:
		fail_at(reader, "the trace is damaged: no such call");
	}
}

bool trace_reader_next(struct trace_reader *reader, struct call *ret_call)
{
	uint64_t number = read_number(reader);
	enum trace_op op = number & ((1 << TRACE_OP_BITS) - 1);

	while (op == TRACE_MARK) {
		if (!read_mark(reader, number >> TRACE_OP_BITS))
			return false;
		number = read_number(reader);
		op = number & ((1 << TRACE_OP_BITS) - 1);
	}
	if (reader->threads == 0)
		fail_at(reader, "the trace is damaged: a call of no thread");
	*ret_call = (struct call){ .op = op, .thread = reader->thread };
	read_call(reader, number >> TRACE_OP_BITS, ret_call);
	reader->calls++;
	return true;
}
