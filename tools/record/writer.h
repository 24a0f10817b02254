/* SPDX-License-Identifier: MIT */
/*
 * A file that is written number by number through a mapping, so that what has
 * been written stays, however the process ends.
 */
#ifndef RECORD_WRITER_H
#define RECORD_WRITER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	char path[PATH_MAX];
	unsigned char
		*window; /* the part of the file that is mapped, or NULL */
	size_t start;	 /* of the window in the file */
	size_t used;	 /* bytes of the window */
};

/* Start the file @writer->path from nothing; false with errno if it fails. */
bool writer_open(struct writer *writer);

/*
 * Make sure that the next @bytes fit. The file always goes on a little beyond
 * what is written, and is zero there. False with errno if it can't grow; what
 * is in it then stays.
 */
bool writer_reserve(struct writer *writer, size_t bytes);

void writer_byte(struct writer *writer, unsigned char byte);

/* LEB128. */
void writer_number(struct writer *writer, uint64_t number);

/* Cut the file behind the last byte that was written. */
void writer_close(struct writer *writer);

#endif
