/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: the library below as far as it is not
 * public, and the few things that can't be said in C.
 *
 * libc's names are put on the functions of <slubmalloc/malloc.h> by the linker
 * wherever the two mean the same (meson.build), so that a call of malloc() is a
 * call of sm_malloc(). Here are only those that mean something else.
 */
#ifndef PRELOAD_PRELOAD_H
#define PRELOAD_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define COLD   __attribute__((cold, noinline))

/* From the library: posix_memalign(3). */
HIDDEN int sm_posix_memalign(void **ret_block, size_t align, size_t size);

/* From the library: the thread is about to vfork(). */
HIDDEN void sm_before_vfork(void);

/* From the library: give back address space that holds no memory. */
HIDDEN void sm_trim_reservation(void);

/*
 * The function of the C++ library that is called @name, NULL if the process has
 * none. It may have come with a plugin, long after us and out of our scope.
 */
HIDDEN void *runtime_find(const char *name);

/* The function that the weak symbol @bound is bound to, or could be by now. */
static inline void *runtime_function(void *bound, const char *name)
{
	return bound ? bound : runtime_find(name);
}

/* @text on standard error; no cancellation point. */
static inline void say(const char *text)
{
	if (syscall(SYS_write, STDERR_FILENO, text, strlen(text)) < 0)
		return; /* nobody listens */
}

/*
 * Call function(size, align). If it throws, drop the exception and return NULL.
 * In machine language, since C has no word for catch.
 */
typedef void *(*new_function)(size_t size, size_t align);
HIDDEN void *call_catching(new_function function, size_t size, size_t align);

/* What dlopen() and dlmopen() ask before they go on to libc's. */
HIDDEN int dlopen_mode(int mode);

/* libc's dlopen() and dlmopen(). [fixed at the first dlopen_mode()] */
extern HIDDEN void *dlopen_next;
extern HIDDEN void *dlmopen_next;

#endif
