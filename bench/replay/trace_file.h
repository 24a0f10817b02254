/* SPDX-License-Identifier: MIT */
/* A trace as a file: all of its bytes, unpacked. */
#ifndef REPLAY_TRACE_FILE_H
#define REPLAY_TRACE_FILE_H

#include <stddef.h>

struct trace_file {
	const char *path;
	unsigned char *bytes;
	size_t len;
	size_t room; /* bytes that are mapped for it */
};

/* Read @path, as it is or compressed by xz; the program ends if that fails. */
struct trace_file trace_file_read(const char *path);

void trace_file_forget(struct trace_file *file);

#endif
