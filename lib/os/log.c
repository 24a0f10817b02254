/* SPDX-License-Identifier: MIT */
/* Write a counter as a line, by one raw write(2). */
#include "os/log.h"

#include <string.h>
#include <sys/syscall.h>

#include "os/os.h"
#include "os/syscall.h"

void log_counter(int fd, const char *name, size_t value)
{
	char line[80];
	size_t len = min_size(strlen(name), 40), digits = 1;

	for (size_t rest = value; rest >= 10; rest /= 10)
		digits++;
	memcpy(line, name, len);
	line[len++] = ' ';
	for (size_t i = digits; i-- > 0; value /= 10)
		line[len + i] = (char)('0' + value % 10);
	len += digits;
	line[len++] = '\n';
	os_call(SYS_write, fd, (long)line, (long)len, 0, 0, 0);
}
