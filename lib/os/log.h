/* SPDX-License-Identifier: MIT */
/* Lines to a file descriptor, without an allocation. */
#ifndef OS_LOG_H
#define OS_LOG_H

#include <stddef.h>

/* Write "@name @value" and a newline to @fd; errors are ignored. */
void log_counter(int fd, const char *name, size_t value);

#endif
