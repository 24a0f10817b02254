/* SPDX-License-Identifier: MIT */
/*
 * Object caches: blocks of one size, with an optional constructor, served from
 * per-CPU arrays. The user-space counterpart of struct kmem_cache.
 */
#ifndef SLUBMALLOC_CACHE_H
#define SLUBMALLOC_CACHE_H

#include <stddef.h>

#include <slubmalloc/flags.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sm_cache;

/* Flags of a cache, or-ed together. */
enum sm_cache_flags {
	/* Align objects to a cache line (SLAB_HWCACHE_ALIGN). */
	SM_CACHE_HWALIGN = 1 << 0,
	/*
	 * Keep no objects in per-CPU arrays: every operation goes to the slab,
	 * which finds a double free at once.
	 */
	SM_CACHE_NO_SHEAVES = 1 << 1,
};

/* The largest object of a cache, in bytes. */
#define SM_CACHE_SIZE_MAX (1 << 18)

/**
 * sm_cache_create() - make a cache of objects of one size
 * @name: shown in statistics; copied, at most 31 bytes are kept
 * @size: of one object, in bytes; 1 to %SM_CACHE_SIZE_MAX
 * @align: in bytes; a power of two up to 4096, or zero for %SM_ALIGN_MIN
 * @flags: of enum sm_cache_flags
 * @constructor: called once for every object when its slab is made, or %NULL.
 *	An object must be back in its constructed state when it is freed, and
 *	then comes out of the cache so. It must not use the cache.
 *
 * Return: the cache, or %NULL with errno set.
 * Errors: EINVAL - @name is %NULL, @size, @align or @flags out of range;
 *	ENOMEM - no memory.
 * Context: any thread; not in a signal handler; may enter the kernel.
 * Source: kmem_cache_create().
 */
SM_EXPORT struct sm_cache *sm_cache_create(const char *name, size_t size,
					   size_t align, unsigned int flags,
					   void (*constructor)(void *object));

/**
 * sm_cache_alloc() - take an object
 * @cache: from sm_cache_create()
 * @flags: of enum sm_flags; %SM_ZERO not in a cache with a constructor
 *
 * Return: an object, constructed if the cache has a constructor, or %NULL with
 *	errno set.
 * Errors: ENOMEM - no memory; EINVAL - @flags.
 * Context: any thread; as sm_malloc().
 * Source: kmem_cache_alloc().
 */
SM_EXPORT void *sm_cache_alloc(struct sm_cache *cache, unsigned int flags);

/**
 * sm_cache_free() - give an object back
 * @cache: the cache it is from; another one ends the program with a message
 * @object: from sm_cache_alloc(), or %NULL
 *
 * Context: any thread; as sm_free(); errno is kept.
 * Source: kmem_cache_free().
 */
SM_EXPORT void sm_cache_free(struct sm_cache *cache, void *object);

/**
 * sm_cache_alloc_bulk() - take many objects at once
 * @cache: from sm_cache_create()
 * @flags: as sm_cache_alloc()
 * @count: how many
 * @objects: @count pointers, written on success only
 *
 * All or nothing.
 *
 * Return: @count, or 0 with errno set.
 * Errors: as sm_cache_alloc().
 * Context: as sm_cache_alloc().
 * Source: kmem_cache_alloc_bulk().
 */
SM_EXPORT size_t sm_cache_alloc_bulk(struct sm_cache *cache, unsigned int flags,
				     size_t count, void **objects);

/**
 * sm_cache_free_bulk() - give many objects back at once
 * @cache: the cache they are all from
 * @count: how many
 * @objects: @count pointers, none of them %NULL; left as it is
 *
 * Context: as sm_cache_free().
 * Source: kmem_cache_free_bulk().
 */
SM_EXPORT void sm_cache_free_bulk(struct sm_cache *cache, size_t count,
				  void *const *objects);

/**
 * sm_cache_shrink() - give back the free slabs of a cache
 * @cache: from sm_cache_create()
 *
 * Return: 0 if the cache holds no slab any more, else 1.
 * Context: any thread; not in a signal handler.
 * Source: kmem_cache_shrink().
 */
SM_EXPORT int sm_cache_shrink(struct sm_cache *cache);

/**
 * sm_cache_destroy() - end a cache
 * @cache: from sm_cache_create(), or %NULL; not used any more after success
 *
 * Return: 0, or -1 with errno set.
 * Errors: EBUSY - objects are still allocated; the cache is as it was.
 * Context: any thread; not in a signal handler.
 * Source: kmem_cache_destroy().
 */
SM_EXPORT int sm_cache_destroy(struct sm_cache *cache);

/**
 * sm_cache_size() - tell the bytes of one object that may be used
 * @cache: from sm_cache_create()
 *
 * Return: in bytes; at least the size it was created with.
 * Context: any thread, any signal handler; no system call.
 */
SM_EXPORT size_t sm_cache_size(const struct sm_cache *cache);

#ifdef __cplusplus
}
#endif

#endif
