/* SPDX-License-Identifier: MIT */
/* Modules that are loaded while the program runs: the mode of their dlopen().
 */
#include <slubmalloc/options.h>

#include <dlfcn.h>
#include <stddef.h>

#include "preload.h"

void *dlopen_next;
void *dlmopen_next;

/* In place of a function that libc does not have. */
static void *open_nothing(void)
{
	return NULL;
}

static void *find_next(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	return next ? next : (void *)open_nothing;
}

/*
 * The mode without RTLD_DEEPBIND, unless SLUBMALLOC says deepbind:keep. In a
 * namespace of its own a module is alone with its libc, flag or not.
 */
int dlopen_mode(int mode)
{
	if (!__atomic_load_n(&dlopen_next, __ATOMIC_RELAXED)) {
		__atomic_store_n(&dlmopen_next, find_next("dlmopen"),
				 __ATOMIC_RELAXED);
		__atomic_store_n(&dlopen_next, find_next("dlopen"),
				 __ATOMIC_RELEASE);
	}
	return sm_option("deepbind") > 0 ? mode : mode & ~RTLD_DEEPBIND;
}
