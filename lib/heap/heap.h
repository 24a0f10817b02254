/* SPDX-License-Identifier: MIT */
/*
 * Bytes: what malloc means. Routes a request to the layers below by its size:
 *
 *	up to 32 KiB	an object of a size class	slab/
 *	up to 1 MiB	a run of pages			page/
 *	above		a mapping of its own		vma/
 *
 * and takes the calls that can't pass the gate to emergency memory.
 */
#ifndef HEAP_HEAP_H
#define HEAP_HEAP_H

#include <slubmalloc/slubmalloc.h>

#include "slab/slab.h"
#include "vma/vma.h"

/* Wake the layers, once; false if there's no memory to do so. */
bool heap_init(void);

extern bool heap_is_up __attribute__((visibility("hidden")));

static inline bool heap_ready(void)
{
	return likely(__atomic_load_n(&heap_is_up, __ATOMIC_ACQUIRE)) ||
	       heap_init();
}

/*
 * A block of @size bytes at a multiple of @align, a power of two; as
 * sm_alloc(), errno included. Everything that isn't a hit of the hot path comes
 * here.
 */
void *heap_alloc(size_t size, size_t align, unsigned int flags);

/* Free any pointer. Everything that isn't a hit of the hot path comes here. */
void heap_free(void *block);

/* Ask the program's callback for memory of @size bytes: true to try again. With
 * no lock held, outside of the gate. */
bool nofail_retry(size_t size);

/* Check @flags; false, and errno is EINVAL, if they are none. */
bool flags_are_valid(unsigned int flags);

enum block_kind {
	BLOCK_NONE,	 /* not a block of ours */
	BLOCK_UNKNOWN,	 /* it can't be told whether it is a mapping */
	BLOCK_OBJECT,	 /* of a size class or an object cache */
	BLOCK_RUN,	 /* pages */
	BLOCK_MAPPING,	 /* a mapping of its own */
	BLOCK_EMERGENCY, /* see emergency.c */
};

struct block_info {
	enum block_kind kind;
	size_t size; /* bytes that may be used */
};

/* What the block at @address is. Outside of the gate, which it passes only to
 * look for a mapping. */
struct block_info block_find(const void *address);

/* The bytes of the object that starts at @address; 0 if none does. Needs no
 * gate. */
static ALWAYS_INLINE size_t object_size(const void *address)
{
	const struct cache *cache = cache_of_id(page_class(address));

	return cache && cache_has_object(cache, address) ? cache->size : 0;
}

/* Memory for those who can't pass the gate; needs no lock. */
void *emergency_alloc(size_t size, size_t align, unsigned int flags);
bool emergency_free(void *block);
size_t emergency_size(const void *block);

/* Free @block when the gate can be passed again; needs no lock. */
void deferred_free(void *block);
/* Free what was deferred. Inside the gate. */
void deferred_run(void);

/* Free a block of ours inside the gate; false if it's none. */
bool free_inside(void *block);

/* Now and then, in the slow paths: let what is cached decay. Inside the gate,
 * with no lock held. */
void heap_tick(void);

/* Start with a full budget: there is nothing to decay yet. */
void heap_tick_later(void);

/* The same where the hot path's budget is used up: outside of the gate. */
void heap_look(void);

/* Whether @bytes may be allocated without a look at the clock: then a hot path
 * may go on. */
static ALWAYS_INLINE bool heap_spend(size_t bytes)
{
	os_thread.budget -= (int64_t)bytes;
	return os_thread.budget >= 0;
}

/* The options; see options.c. */
enum option {
	OPTION_INDEX,
	OPTION_DEEPBIND,
	OPTION_WINDOW,
	OPTION_RETAIN,
	OPTION_HUGE,
	OPTION_PAGE,
	OPTION_REPORT,
	OPTION_COUNT,
};
void options_read(void);
long option_value(enum option option);

/* Write the statistics to the file descriptor that the option names, if any. */
void stats_report(void);

/* For preload/: posix_memalign(3); see vfork and setrlimit there. */
int sm_posix_memalign(void **ret_block, size_t align, size_t size);
void sm_before_vfork(void);
void sm_trim_reservation(void);

#endif
