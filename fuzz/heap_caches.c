/* SPDX-License-Identifier: MIT */
/* Fuzz the object caches of a program. */
#include "fuzz_heap.h"

#include <errno.h>
#include <string.h>

enum {
	CACHES = 3,
	BULK_MAX = 100,
	MARK_BYTES = 8, /* that a constructor writes */
};

static struct own_cache {
	struct sm_cache *cache; /* NULL: none */
	size_t align;
	unsigned int flags;
	bool is_constructed;
} caches[CACHES];

/* What a constructed object holds depends on where it is. */
static void construct(void *object)
{
	uintptr_t mark = ~(uintptr_t)object;

	memcpy(object, &mark, MARK_BYTES);
}

static struct own_cache *any_cache(struct input *input)
{
	return &caches[input_below(input, CACHES)];
}

static void create_cache(struct own_cache *own, struct input *input)
{
	static const size_t aligns[] = { 0, 0, 1, 16, 64, 128, 4096 };
	unsigned int bits = input_seldom(input, 4) ? 18 : 11;
	size_t size = 1 + input_size(input, bits);

	own->align = aligns[input_below(input, ARRAY_SIZE(aligns))];
	own->flags = input_byte(input) %
		     ((SM_CACHE_HWALIGN | SM_CACHE_NO_SHEAVES) + 1);
	own->is_constructed = input_bit(input);
	for (int tries = 0; tries < 2 && !own->cache; tries++) {
		own->cache =
			sm_cache_create("fuzz", size, own->align, own->flags,
					own->is_constructed ? construct : NULL);
		if (!own->cache) {
			FUZZ_EXPECT(errno == ENOMEM);
			fuzz_forgive();
		}
	}
	fuzz_trace("create a cache: %zu bytes at %zu, flags %u, constructed %d",
		   size, own->align, own->flags, own->is_constructed);
	FUZZ_EXPECT(sm_cache_size(own->cache) >= size);
}

static void destroy_cache(struct own_cache *own)
{
	size_t live = shadow_count(KIND_OBJECT, own->cache);
	int ret = sm_cache_destroy(own->cache);

	fuzz_trace("destroy a cache of %zu live objects: %d", live, ret);
	FUZZ_EXPECT((ret == 0) == (live == 0));
	FUZZ_EXPECT(ret == 0 || errno == EBUSY);
	if (ret == 0)
		own->cache = NULL;
}

void create_or_destroy_cache(struct input *input)
{
	struct own_cache *own = any_cache(input);

	if (own->cache)
		destroy_cache(own);
	else
		create_cache(own, input);
}

static void accept_object(const struct own_cache *own, void *object,
			  unsigned int flags)
{
	size_t size = sm_cache_size(own->cache);
	uintptr_t mark = ~(uintptr_t)object;

	FUZZ_EXPECT(((uintptr_t)object &
		     (max_size(own->align, SM_ALIGN_MIN) - 1)) == 0);
	FUZZ_EXPECT(sm_owns(object));
	if (flags & SM_ZERO)
		shadow_expect_zero(object, size);
	if (own->is_constructed)
		FUZZ_EXPECT(memcmp(object, &mark, MARK_BYTES) == 0);
	shadow_add(object, size, KIND_OBJECT, own->cache);
}

/* The object of @block is about to be freed. */
static void *release_object(const struct own_cache *own,
			    struct shadow_block *block)
{
	void *object = block->start;

	shadow_remove(block);
	if (own->is_constructed)
		construct(object);
	return object;
}

/* Flags that are valid for a cache; those that aren't must be refused. */
static unsigned int flags_for(const struct own_cache *own, struct input *input)
{
	unsigned int flags = any_flags(input);

	if (!(flags & SM_ZERO) || !own->is_constructed)
		return flags;
	errno = 0;
	FUZZ_EXPECT(!sm_cache_alloc(own->cache, flags) && errno == EINVAL);
	return flags & ~(unsigned int)SM_ZERO;
}

void alloc_objects(struct input *input)
{
	struct own_cache *own = any_cache(input);
	size_t count = 1 + input_size(input, 6);
	unsigned int flags;

	if (!own->cache ||
	    !shadow_has_room(count, count * sm_cache_size(own->cache)))
		return;
	flags = flags_for(own, input);
	fuzz_trace("%zu objects of %zu bytes, flags %u", count,
		   sm_cache_size(own->cache), flags);
	for (size_t i = 0; i < count; i++) {
		size_t calls = os_call_count();
		void *object = sm_cache_alloc(own->cache, flags);

		if (!accept_result(object, flags, calls))
			object = sm_cache_alloc(own->cache, flags);
		FUZZ_EXPECT(object || flags & SM_NOWAIT);
		if (object)
			accept_object(own, object, flags);
	}
}

void free_objects(struct input *input)
{
	struct own_cache *own = any_cache(input);
	size_t count = 1 + input_size(input, 6);
	unsigned int index = input_byte(input);
	bool interrupts = begin_interrupt(input);
	struct shadow_block *block;

	fuzz_trace("free %zu objects", count);
	while (own->cache && count-- > 0 &&
	       (block = shadow_pick(index, KIND_OBJECT, own->cache))) {
		errno = EDOM;
		sm_cache_free(own->cache, release_object(own, block));
		FUZZ_EXPECT(errno == EDOM);
	}
	end_interrupt(interrupts);
}

void alloc_bulk(struct input *input)
{
	struct own_cache *own = any_cache(input);
	size_t count = 1 + input_below(input, BULK_MAX), got;
	size_t calls;
	unsigned int flags;
	void *objects[BULK_MAX];

	if (!own->cache ||
	    !shadow_has_room(count, count * sm_cache_size(own->cache)))
		return;
	flags = flags_for(own, input);
	calls = os_call_count();
	fuzz_trace("bulk of %zu objects of %zu bytes, flags %u", count,
		   sm_cache_size(own->cache), flags);
	got = sm_cache_alloc_bulk(own->cache, flags, count, objects);
	if (!accept_result(got ? objects : NULL, flags, calls))
		got = sm_cache_alloc_bulk(own->cache, flags, count, objects);
	FUZZ_EXPECT(got == count || (got == 0 && flags & SM_NOWAIT));
	for (size_t i = 0; i < got; i++)
		accept_object(own, objects[i], flags);
}

void free_bulk(struct input *input)
{
	struct own_cache *own = any_cache(input);
	size_t most = input_below(input, BULK_MAX + 1), count = 0;
	unsigned int index = input_byte(input);
	bool interrupts = begin_interrupt(input);
	void *objects[BULK_MAX];
	struct shadow_block *block;

	while (own->cache && count < most &&
	       (block = shadow_pick(index, KIND_OBJECT, own->cache)))
		objects[count++] = release_object(own, block);
	fuzz_trace("free a bulk of %zu objects", count);
	if (own->cache)
		sm_cache_free_bulk(own->cache, count, objects);
	end_interrupt(interrupts);
}

void shrink_cache(struct input *input)
{
	struct own_cache *own = any_cache(input);
	size_t live;
	int ret;

	if (!own->cache)
		return;
	live = shadow_count(KIND_OBJECT, own->cache);
	ret = sm_cache_shrink(own->cache);
	fuzz_trace("shrink a cache of %zu live objects: %d", live, ret);
	FUZZ_EXPECT(ret == (live > 0) || has_been_interrupted());
}

void check_caches(void)
{
	struct sm_cache_stats stats;

	FUZZ_EXPECT(gate_enter(GATE_BRIEFLY));
	for (unsigned int id = 1; id < CPU_ARRAYS; id++) {
		if (cache_of_id(id))
			cache_check(cache_of_id(id));
	}
	gate_leave();
	for (size_t i = 0; sm_cache_stats(i, &stats); i++)
		FUZZ_EXPECT(stats.free_objects + stats.cached_objects <=
			    stats.objects);
}

void free_all_objects(void)
{
	for (int i = 0; i < CACHES; i++) {
		struct own_cache *own = &caches[i];
		struct shadow_block *block;

		if (!own->cache)
			continue;
		while ((block = shadow_pick(0, KIND_OBJECT, own->cache)))
			sm_cache_free(own->cache, release_object(own, block));
		destroy_cache(own);
		FUZZ_EXPECT(!own->cache);
	}
}
