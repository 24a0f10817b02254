/* SPDX-License-Identifier: MIT */
/* What the replay says, without malloc. */
#ifndef REPLAY_FAIL_H
#define REPLAY_FAIL_H

/* A text on descriptor @fd. */
__attribute__((format(printf, 2, 3))) void say(int fd, const char *format, ...);

/* A line on standard error. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* The same, and the end. */
__attribute__((format(printf, 1, 2))) _Noreturn void fail(const char *format,
							  ...);

#endif
