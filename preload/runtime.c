/* SPDX-License-Identifier: MIT */
/* What the operators need of a C++ library that somebody else has loaded. */
#include <dlfcn.h>
#include <stddef.h>

#include "preload.h"

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
