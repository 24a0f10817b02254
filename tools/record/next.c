/* SPDX-License-Identifier: MIT */
/*
 * Finding the allocator behind the recorder, by dlsym(3) at the first call. It
 * may allocate in its turn: meanwhile blocks come from a small buffer, and
 * stay.
 */
#include "next.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	EARLY_BYTES = 16384,
	ALIGNMENT = 16
};

/* The tables have the order of struct next. */
static const char *const names[] = {
	"malloc",	  "calloc",
	"realloc",	  "free",
	"aligned_alloc",  "memalign",
	"posix_memalign", "valloc",
	"pvalloc",	  "malloc_usable_size",
};
_Static_assert(sizeof(names) == sizeof(struct next), "a name for each");

static struct {
	struct next found; /* [fixed once is_found] */
	bool is_found;	   /* [atomic] */
	size_t early_used; /* [atomic] */
	_Alignas(ALIGNMENT) char early[EARLY_BYTES];
} state;

static __thread bool is_searching;

static void *early_malloc(size_t size)
{
	size_t bytes = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	size_t start =
		__atomic_fetch_add(&state.early_used, bytes, __ATOMIC_RELAXED);

	return start + bytes <= EARLY_BYTES ? state.early + start : NULL;
}

/* The buffer is zero, and given out once. */
static void *early_calloc(size_t count, size_t size)
{
	return early_malloc(count * size);
}

static void early_free(void *block)
{
	(void)block;
}

static const struct next early = {
	.malloc = early_malloc,
	.calloc = early_calloc,
	.free = early_free,
};

int next_is_early(const void *block)
{
	return (const char *)block >= state.early &&
	       (const char *)block < state.early + EARLY_BYTES;
}

static _Noreturn void end_without(const char *name)
{
	static const char text[] = "slubrecord: no allocator here has ";

	if (syscall(SYS_write, STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    syscall(SYS_write, STDERR_FILENO, name, strlen(name)) < 0 ||
	    syscall(SYS_write, STDERR_FILENO, "\n", 1) < 0)
		abort();
	abort();
}

/* Two threads may do so at once, and find the same. */
static void search_next(void)
{
	void *found[sizeof(names) / sizeof(names[0])];

	is_searching = true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		found[i] = dlsym(RTLD_NEXT, names[i]);
		if (!found[i])
			end_without(names[i]);
	}
	memcpy(&state.found, found, sizeof(found));
	is_searching = false;
	/* pairs with the acquire in next() */
	__atomic_store_n(&state.is_found, true, __ATOMIC_RELEASE);
}

const struct next *next(void)
{
	if (__builtin_expect(
		    !__atomic_load_n(&state.is_found, __ATOMIC_ACQUIRE), 0)) {
		if (is_searching)
			return &early;
		search_next();
	}
	return &state.found;
}
