/* SPDX-License-Identifier: MIT */
/* A module that a program opens, and exchanges blocks with. */
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *module_malloc(size_t size);
void *module_realloc(void *block, size_t size);
void *module_memalign(size_t alignment, size_t size);
void module_free(void *block);
char *module_strdup(const char *text);
void *module_open(const char *name);
char *module_thread_local(void);

void *module_malloc(size_t size)
{
	return malloc(size);
}

void *module_realloc(void *block, size_t size)
{
	return realloc(block, size);
}

void *module_memalign(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

void module_free(void *block)
{
	free(block);
}

/* A block that libc allocates for somebody else. */
char *module_strdup(const char *text)
{
	return strdup(text);
}

/* A library that only our RUNPATH leads to: the call must be made from here. */
void *module_open(const char *name)
{
	void *volatile handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	return handle;
}

/* Its first use in a thread allocates, inside the dynamic linker. */
char *module_thread_local(void)
{
	static _Thread_local char bytes[5000];

	return bytes;
}
