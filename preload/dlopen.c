/* SPDX-License-Identifier: MIT */
/*
 * Modules that are loaded while the program runs: which mode dlopen() goes on
 * with, and what can be found in modules that others have loaded.
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

/*
 * By name of the library, since a plugin's scope can't be seen from here; the
 * libraries that are loaded already are found without an allocation.
 */
void *runtime_find(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so.6",
						 "libc++.so.1" };
	void *found = NULL;

	for (size_t i = 0; i < 2 && !found; i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);

		if (!library)
			continue;
		found = dlsym(library, name);
		dlclose(library);
	}
	return found;
}
