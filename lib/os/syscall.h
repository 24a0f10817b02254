/* SPDX-License-Identifier: MIT */
/* The one place that enters the kernel; private to os/. */
#ifndef OS_SYSCALL_H
#define OS_SYSCALL_H

/*
 * System call @number with up to six arguments: its result, or -errno. errno
 * itself is left alone, so that free() never changes it.
 */
long os_call(long number, long a, long b, long c, long d, long e, long f);

/* As os_call(), and counted: os_fail_nth() can make it fail. */
long os_call_counted(long number, long a, long b, long c, long d, long e,
		     long f);

#endif
