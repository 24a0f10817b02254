/* SPDX-License-Identifier: MIT */
/* <slubmalloc/cache.h>: object caches for programs. */
#include <errno.h>
#include <string.h>

#include "heap/heap.h"

/* The public handle is the cache itself. */
static struct cache *cache_of(struct sm_cache *handle)
{
	return (struct cache *)handle;
}

static bool is_valid_cache(const char *name, size_t size, size_t align,
			   unsigned int flags)
{
	return name && size > 0 && size <= SM_CACHE_SIZE_MAX &&
	       (align == 0 || is_power_of_two(align)) && align <= 4096 &&
	       (flags &
		~(unsigned int)(SM_CACHE_HWALIGN | SM_CACHE_NO_SHEAVES)) == 0;
}

struct sm_cache *sm_cache_create(const char *name, size_t size, size_t align,
				 unsigned int flags,
				 void (*constructor)(void *object))
{
	struct cache *cache = NULL;

	if (!is_valid_cache(name, size, align, flags)) {
		errno = EINVAL;
		return NULL;
	}
	if (heap_ready() && gate_enter(GATE_LONG)) {
		cache = cache_create(name, size, align, flags, constructor);
		gate_leave();
	}
	if (!cache)
		errno = ENOMEM;
	return (struct sm_cache *)cache;
}

static bool alloc_flags_are_valid(const struct cache *cache, unsigned int flags)
{
	if (!flags_are_valid(flags))
		return false;
	if (!(flags & SM_ZERO) || !cache->constructor)
		return true;
	errno = EINVAL;
	return false;
}

static void *alloc_inside_gate(struct cache *cache, unsigned int flags)
{
	void *object;

	if (!gate_enter(flags & SM_NOWAIT ? GATE_NOW : GATE_LONG))
		return NULL;
	object = cache_alloc_slow(cache, flags);
	gate_leave();
	return object;
}

static COLD void *alloc_slow(struct cache *cache, unsigned int flags)
{
	void *object;

	do {
		object = alloc_inside_gate(cache, flags);
	} while (!object && (flags & SM_NOFAIL) && nofail_retry(cache->size));
	if (!object)
		errno = ENOMEM;
	return object;
}

void *sm_cache_alloc(struct sm_cache *handle, unsigned int flags)
{
	struct cache *cache = cache_of(handle);
	void *object;

	if (unlikely(flags) && !alloc_flags_are_valid(cache, flags))
		return NULL;
	if (unlikely(!cpu_array_pop(cache->id, &object) &&
		     !cpu_array_pop_slot(cache->id, &object)))
		object = alloc_slow(cache, flags);
	if (unlikely(flags & SM_ZERO) && object)
		memset(object, 0, cache->size);
	return object;
}

static void check_owner(const struct cache *cache, const void *object)
{
	if (unlikely(page_class(object) != cache->id))
		panic("sm_cache_free: object is not of this cache", object);
}

static COLD void free_slow(struct cache *cache, void *object)
{
	if (!gate_enter(GATE_BRIEFLY)) {
		deferred_free(object);
		return;
	}
	cache_free_slow(cache, object);
	gate_leave();
}

void sm_cache_free(struct sm_cache *handle, void *object)
{
	struct cache *cache = cache_of(handle);

	if (unlikely(!object))
		return;
	check_owner(cache, object);
	if (unlikely(!cpu_array_push(cache->id, object) &&
		     !cpu_array_push_slot(cache->id, object)))
		free_slow(cache, object);
}

static bool alloc_bulk_inside_gate(struct cache *cache, void **objects,
				   size_t count, unsigned int flags)
{
	bool ok;

	if (!gate_enter(flags & SM_NOWAIT ? GATE_NOW : GATE_LONG))
		return false;
	ok = cache_alloc_batch(cache, objects, count, flags);
	gate_leave();
	return ok;
}

size_t sm_cache_alloc_bulk(struct sm_cache *handle, unsigned int flags,
			   size_t count, void **objects)
{
	struct cache *cache = cache_of(handle);
	bool ok;

	if (!alloc_flags_are_valid(cache, flags))
		return 0;
	do {
		ok = alloc_bulk_inside_gate(cache, objects, count, flags);
	} while (!ok && (flags & SM_NOFAIL) &&
		 nofail_retry(count * cache->size));
	if (!ok) {
		errno = ENOMEM;
		return 0;
	}
	for (size_t i = 0; (flags & SM_ZERO) && i < count; i++)
		memset(objects[i], 0, cache->size);
	return count;
}

void sm_cache_free_bulk(struct sm_cache *handle, size_t count,
			void *const *objects)
{
	struct cache *cache = cache_of(handle);

	for (size_t i = 0; i < count; i++)
		check_owner(cache, objects[i]);
	if (!gate_enter(GATE_BRIEFLY)) {
		for (size_t i = 0; i < count; i++)
			deferred_free(objects[i]);
		return;
	}
	cache_free_batch(cache, objects, count);
	gate_leave();
}

int sm_cache_shrink(struct sm_cache *handle)
{
	bool is_left = true;

	if (gate_enter(GATE_LONG)) {
		is_left = cache_shrink(cache_of(handle));
		gate_leave();
	}
	return is_left;
}

int sm_cache_destroy(struct sm_cache *handle)
{
	bool ok = false;

	if (!handle)
		return 0;
	if (gate_enter(GATE_LONG)) {
		deferred_run();
		ok = cache_destroy(cache_of(handle));
		gate_leave();
	}
	if (ok)
		return 0;
	errno = EBUSY;
	return -1;
}

size_t sm_cache_size(const struct sm_cache *handle)
{
	return ((const struct cache *)handle)->size;
}
