/* SPDX-License-Identifier: MIT */
/*
 * Object caches: blocks of one size. Linux's mm/slub.c, as of Linux 7.
 *
 * A free object is in one of three places, nearest first:
 *
 *	per-CPU arrays  cpu_array.h	restartable sequences, no lock
 *	the barn	barn.c		sheaves: batches that CPUs exchange
 *	its slab	slab.c		a bit in the slab's map of free objects
 *
 * Objects move between them in batches. No object has an owner: any thread
 * frees into the array of the CPU it runs on, and thread exit has nothing to
 * do. What is cached is bounded by CPUs, not by threads.
 *
 * Debugging is never tested on the hot path: a cache with debugging has arrays
 * without room, so that every operation goes the slow way.
 *
 * Functions are called inside the gate, unless they say otherwise.
 */
#ifndef SLAB_SLAB_H
#define SLAB_SLAB_H

#include <slubmalloc/cache.h>
#include <slubmalloc/flags.h>

#include "page/page.h"
#include "slab/cpu_array.h"
#include "slab/run.h"
#include "slab/size_class.h"

enum {
	CACHE_NAME_BYTES = 32,
	SHEAF_CAPACITY = 62, /* so that a sheaf fills 512 bytes */
	PARTIAL_LEVELS = 4,
	RECIPROCAL_SHIFT = 40, /* exact for offsets in 2 MiB by sizes up to
				* 256 KiB: their product is below 2^40 */
};

/* A batch of objects, when it's in a barn. */
struct sheaf {
	struct sheaf *next;
	size_t count;
	void *objects[SHEAF_CAPACITY];
};

/* The stock of sheaves that the CPUs of a cache exchange. */
struct barn {
	struct lock lock;
	struct sheaf *full;    /* [lock] most recent first */
	struct sheaf *empty;   /* [lock] */
	unsigned int nr_full;  /* [lock] */
	unsigned int nr_empty; /* [lock] */
	unsigned int max_full; /* [fixed at creation] */
	size_t objects;	       /* [lock to write, atomic to read] in sheaves */
	size_t gets;	       /* [lock] sheaves taken */
	size_t puts;	       /* [lock] sheaves given */
};

struct slab;

struct cache {
	unsigned int id;	    /* [fixed at creation] */
	unsigned int flags;	    /* [fixed at creation] */
	size_t size;		    /* [fixed at creation] from one object to
				     * the next */
	size_t align;		    /* [fixed at creation] */
	uint64_t reciprocal;	    /* [fixed at creation] of size */
	unsigned int slab_order;    /* [fixed at creation] */
	unsigned int slab_objects;  /* [fixed at creation] objects in a slab */
	unsigned int level_objects; /* [fixed at creation] a partial level */
	unsigned int batch;	    /* [fixed at creation] objects in a sheaf */
	unsigned int max_empty;	    /* [fixed at creation] slabs kept */
	void (*constructor)(void *); /* [fixed at creation] */
	char name[CACHE_NAME_BYTES]; /* [fixed at creation] */
	struct list link;	     /* [caches] in the list of all */

	struct lock lock;
	struct list partial[PARTIAL_LEVELS]; /* [lock] emptiest first */
	struct list empty;     /* [lock] slabs with all objects free */
	unsigned int nr_empty; /* [lock] */
	size_t nr_slabs;       /* [lock to write, atomic to read] */
	size_t free_objects;   /* [lock to write, atomic to read] in slabs */
	bool was_refill;       /* [atomic] the last change of room was for one
				*/
	size_t refills;	       /* [lock] batches taken from slabs */
	size_t flushes;	       /* [lock] batches returned to slabs */

	struct barn barn;
};

/* Make the per-CPU arrays; false if there's no memory. */
bool slab_init(void);

/* The cache of size class @class, which is made at the first call; NULL only
 * with SM_NOWAIT, if it isn't made and can't be now. */
struct cache *cache_of_class(unsigned int class, unsigned int flags);

/* The cache with the number @id, or NULL if there's none yet. Needs no gate. */
struct cache *cache_of_id(unsigned int id);

/*
 * A new cache, or NULL if there's no memory or the arguments are out of range;
 * see sm_cache_create().
 */
struct cache *cache_create(const char *name, size_t size, size_t align,
			   unsigned int flags, void (*constructor)(void *));

/* Give back the cache; false if objects are still allocated. */
bool cache_destroy(struct cache *cache);

/* Give back free slabs; true if slabs are left. */
bool cache_shrink(struct cache *cache);

/* cache_shrink() on all caches, with one drain of the arrays. */
void caches_shrink(void);

/* Whether much of the slabs is free: then objects in arrays and barns, each of
 * which may hold a slab, are likely the reason. */
bool caches_are_sparse(void);

/*
 * To be called now and then, with no lock held: gives pages of slabs back on
 * which no object has been in use for some time, a bounded amount at a time.
 * True if more waits for its time. @now_ms of os_coarse_ms().
 */
bool caches_sweep(uint64_t now_ms);

/* The cold half of an allocation: the arrays, the barn, slabs, new slabs. NULL
 * if there's no memory. @flags of enum sm_flags; SM_ZERO is the caller's. */
void *cache_alloc_slow(struct cache *cache, unsigned int flags);

/* The cold half of a free; @object is of @cache, or this panics. */
void cache_free_slow(struct cache *cache, void *object);

/* @count objects or none; straight from the slabs. */
bool cache_alloc_batch(struct cache *cache, void **objects, size_t count,
		       unsigned int flags);
void cache_free_batch(struct cache *cache, void *const *objects, size_t count);

/*
 * An object that was never handed out and is known to be zero, or NULL if there
 * is none at hand: for objects large enough that writing zeroes costs more.
 */
void *cache_alloc_untouched(struct cache *cache, unsigned int flags);

/* The first byte of the object of @cache that @address lies in; NULL if it lies
 * behind the last one. */
void *cache_object_at(const struct cache *cache, const void *address);

/*
 * Whether an object starts at @address, in a frame of @cache. Needs no gate.
 *
 * The product of offset and reciprocal has the index above the point, and below
 * it less than the reciprocal exactly if nothing is left over.
 */
static inline bool cache_has_object(const struct cache *cache,
				    const void *address)
{
	size_t bytes = (size_t)1 << (cache->slab_order + os_page_shift);
	uint64_t product =
		((uintptr_t)address & (bytes - 1)) * cache->reciprocal;
	uint64_t point = (uint64_t)1 << RECIPROCAL_SHIFT;

	return (product & (point - 1)) < cache->reciprocal &&
	       product >> RECIPROCAL_SHIFT < cache->slab_objects;
}

/* Whether @object of @cache is free in its slab: not in an array or a barn. */
bool cache_object_is_free(struct cache *cache, const void *object);

/*
 * A run of pages that holds @size bytes, above SLAB_SIZE_MAX and up to
 * RUN_BYTES_MAX, or NULL if there's no memory. *@ret_zero tells whether it is
 * known to be zero.
 */
void *run_alloc(size_t size, unsigned int flags, bool *ret_zero);

/* Free @run, the first byte of a PAGE_RUN. */
void run_free(void *run);

/* Make @run as long as one for @size bytes, where it is; false, and no change,
 * if the pages behind it aren't free. */
bool run_resize(void *run, size_t size);

/* Runs in the arrays: exact if nobody is using them. Needs no lock. */
size_t runs_cached(void);

struct cache_stats {
	const char *name;
	size_t size;	     /* of an object, in bytes */
	size_t slab_pages;   /* of a slab */
	size_t slab_objects; /* in a slab */
	size_t slabs;
	size_t objects; /* in them */
	size_t free;	/* of them, free in their slab */
	size_t cached;	/* of them, in arrays and barn */
	size_t refills, flushes, barn_gets, barn_puts;
};
/* Of the cache at @index: the size classes' in order, used or not, then the
 * programs', oldest first; false if there's none. */
bool cache_stats_at(size_t index, struct cache_stats *stats);

/* Panic if an invariant is broken. */
void cache_check(struct cache *cache);

#endif
