/* SPDX-License-Identifier: MIT */
/* Report on standard error and abort, with write(2) alone. */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A raw call: libc's write(2) wrapper is a cancellation point, and sets errno
 * in a caller that may be free(). */
static void write_stderr(const char *bytes, size_t len)
{
#if defined(__x86_64__)
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"((long)SYS_write), "D"((long)STDERR_FILENO),
			   "S"(bytes), "d"(len)
			 : "rcx", "r11", "memory");
	(void)ret;
#else
	if (syscall(SYS_write, STDERR_FILENO, bytes, len) < 0)
		return;
#endif
}

void complain(const char *line)
{
	static const char prefix[] = "slubmalloc: ";
	char text[256];
	size_t len = sizeof(prefix) - 1, rest = strlen(line);

	if (rest > sizeof(text) - len - 1)
		rest = sizeof(text) - len - 1;
	memcpy(text, prefix, len);
	memcpy(text + len, line, rest);
	text[len + rest] = '\n';
	write_stderr(text, len + rest + 1);
}

/* @value as 0x and hexadecimal digits, at @text; returns the end. */
static char *put_hex(char *text, unsigned long value)
{
	int digits = 1;

	while (digits < (int)sizeof(value) * 2 && value >> (digits * 4))
		digits++;
	*text++ = '0';
	*text++ = 'x';
	while (digits-- > 0)
		*text++ = "0123456789abcdef"[value >> (digits * 4) & 15];
	return text;
}

void panic(const char *what, const void *address)
{
	char line[200], *end = line;

	while (*what && end < line + sizeof(line) - 24)
		*end++ = *what++;
	if (address) {
		*end++ = ':';
		*end++ = ' ';
		end = put_hex(end, (unsigned long)address);
	}
	*end = '\0';
	complain(line);
	abort();
}
