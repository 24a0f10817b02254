/* SPDX-License-Identifier: MIT */
/* Texts by way of the stack: even dprintf(3) allocates. */
#include "fail.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	TEXT_BYTES = PATH_MAX + 512
};

static void write_text(int fd, const char *text, int len)
{
	size_t bytes = len < TEXT_BYTES ? (size_t)len : TEXT_BYTES - 1;

	if (write(fd, text, bytes) < 0)
		_exit(EXIT_FAILURE);
}

void say(int fd, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	write_text(fd, text, vsnprintf(text, sizeof(text), format, arguments));
	va_end(arguments);
}

static void say_line(const char *format, va_list arguments)
{
	char text[TEXT_BYTES];
	int len = vsnprintf(text, sizeof(text), format, arguments);

	say(STDERR_FILENO, "replay: %.*s\n", len, text);
}

void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(format, arguments);
	va_end(arguments);
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(format, arguments);
	va_end(arguments);
	_exit(EXIT_FAILURE);
}
