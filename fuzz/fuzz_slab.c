/* SPDX-License-Identifier: MIT */
/* Fuzz the object caches: those of the size classes, and a program's own. */
#include "slab/slab.h"

#include <string.h>

#include "fuzz.h"

enum {
	WINDOW_BYTES = 64 << 20,
	RETAIN_BYTES = 1 << 20,
	OWN_CACHES = 4,
	BATCH_MAX = 150,
	MARK_BYTES = 8, /* that a constructor writes */
	KIND_OBJECT = 0,
};

static struct cache *own_caches[OWN_CACHES]; /* NULL: none */

static void start(void)
{
	struct page_options options = {
		.window = WINDOW_BYTES,
		.retain = RETAIN_BYTES,
	};

	fuzz_wake_os();
	options.cpus = os_cpu_limit();
	FUZZ_EXPECT(page_init(&options));
	FUZZ_EXPECT(slab_init());
}

/* What a constructed object holds depends on where it is. */
static void construct(void *object)
{
	uintptr_t mark = ~(uintptr_t)object;

	memcpy(object, &mark, MARK_BYTES);
}

static void expect_constructed(const void *object)
{
	uintptr_t mark = ~(uintptr_t)object;

	FUZZ_EXPECT(memcmp(object, &mark, MARK_BYTES) == 0);
}

/* One of the program's caches, if it exists, or of the size classes. */
static struct cache *any_cache(struct input *input)
{
	unsigned int choice = input_byte(input);

	if (choice < 128)
		return own_caches[choice % OWN_CACHES];
	return cache_of_class(1 + choice % SIZE_CLASSES, 0);
}

static struct cache *create_cache(struct input *input)
{
	static const size_t aligns[] = { 0, 0, 1, 8, 16, 32, 64, 256, 4096 };
	size_t bits = input_seldom(input, 4) ? 18 : 11;
	size_t size = 1 + input_size(input, (unsigned int)bits);
	size_t align = aligns[input_below(input, ARRAY_SIZE(aligns))];
	unsigned int flags = input_byte(input) % 4;
	void (*constructor)(void *) = input_bit(input) ? construct : NULL;
	struct cache *cache;

	fuzz_trace("create: %zu bytes, align %zu, flags %u, constructor %d",
		   size, align, flags, constructor != NULL);
	cache = cache_create("fuzz", size, align, flags, constructor);
	if (!cache) {
		fuzz_forgive();
		cache = cache_create("fuzz", size, align, flags, constructor);
		FUZZ_EXPECT(cache);
	}
	FUZZ_EXPECT(cache->size >= size);
	FUZZ_EXPECT(cache_of_id(cache->id) == cache);
	return cache;
}

static bool destroy_cache(struct cache *cache)
{
	size_t live = shadow_count(KIND_OBJECT, cache);
	unsigned int id = cache->id;
	bool ok = cache_destroy(cache);

	fuzz_trace("destroy, %zu objects are live: %d", live, ok);
	FUZZ_EXPECT(ok == (live == 0));
	FUZZ_EXPECT(cache_of_id(id) == (ok ? NULL : cache));
	return ok;
}

static void create_or_destroy(struct input *input)
{
	struct cache **own = &own_caches[input_below(input, OWN_CACHES)];

	if (!*own)
		*own = create_cache(input);
	else if (destroy_cache(*own))
		*own = NULL;
}

/* An object that was just handed out. */
static void accept_object(struct cache *cache, void *object)
{
	size_t align = max_size(cache->align, QUANTUM);

	FUZZ_EXPECT(((uintptr_t)object & (align - 1)) == 0);
	FUZZ_EXPECT(page_class(object) == cache->id);
	FUZZ_EXPECT(cache_object_at(cache, (char *)object + cache->size - 1) ==
		    object);
	FUZZ_EXPECT(!cache_object_is_free(cache, object));
	if (cache->constructor)
		expect_constructed(object);
	shadow_add(object, cache->size, KIND_OBJECT, cache);
}

/* The object of @block is about to be freed. */
static void *release_object(struct shadow_block *block)
{
	struct cache *cache = block->owner;
	void *object = block->start;

	shadow_remove(block);
	if (cache->constructor)
		construct(object);
	return object;
}

/* From the array, as the hot path does, else by the slow path. */
static void *alloc_object(struct cache *cache, unsigned int flags)
{
	size_t calls = os_call_count();
	void *object;

	if (cpu_array_pop(cache->id, &object) ||
	    cpu_array_pop_slot(cache->id, &object)) {
		FUZZ_EXPECT(!(cache->flags & SM_CACHE_NO_SHEAVES));
		return object;
	}
	object = cache_alloc_slow(cache, flags);
	if (flags & SM_NOWAIT) {
		FUZZ_EXPECT(os_call_count() == calls);
	} else if (!object) {
		fuzz_forgive();
		object = cache_alloc_slow(cache, flags);
		FUZZ_EXPECT(object);
	}
	return object;
}

/* A few at once, so that arrays, barns and slabs fill. */
static void alloc_objects(struct input *input)
{
	struct cache *cache = any_cache(input);
	size_t count = 1 + input_size(input, 7);
	unsigned int flags = input_seldom(input, 4) ? SM_NOWAIT : 0;
	void *object;

	if (!cache || !shadow_has_room(count, count * cache->size))
		return;
	fuzz_trace("%zu objects of cache %u of %zu bytes, flags %u", count,
		   cache->id, cache->size, flags);
	while (count-- > 0 && (object = alloc_object(cache, flags)))
		accept_object(cache, object);
}

static void free_object(struct cache *cache, void *object)
{
	if (cpu_array_push(cache->id, object) ||
	    cpu_array_push_slot(cache->id, object))
		FUZZ_EXPECT(!(cache->flags & SM_CACHE_NO_SHEAVES));
	else
		cache_free_slow(cache, object);
	if (cache->flags & SM_CACHE_NO_SHEAVES && cache->nr_slabs > 0 &&
	    page_class(object) == cache->id)
		FUZZ_EXPECT(cache_object_is_free(cache, object));
}

static void free_objects(struct input *input)
{
	struct cache *cache = any_cache(input);
	size_t count = 1 + input_size(input, 7);
	unsigned int index = input_byte(input);
	struct shadow_block *block;

	if (!cache)
		return;
	fuzz_trace("free %zu objects of cache %u", count, cache->id);
	while (count-- > 0 && (block = shadow_pick(index, KIND_OBJECT, cache)))
		free_object(cache, release_object(block));
}

static void alloc_batch(struct input *input)
{
	struct cache *cache = any_cache(input);
	size_t count = input_below(input, BATCH_MAX + 1);
	unsigned int flags = input_seldom(input, 4) ? SM_NOWAIT : 0;
	size_t calls = os_call_count();
	void *objects[BATCH_MAX];
	bool ok;

	if (!cache || !shadow_has_room(count, count * cache->size))
		return;
	ok = cache_alloc_batch(cache, objects, count, flags);
	fuzz_trace("batch of %zu of cache %u of %zu bytes, flags %u: %d", count,
		   cache->id, cache->size, flags, ok);
	if (flags & SM_NOWAIT) {
		FUZZ_EXPECT(os_call_count() == calls);
	} else if (!ok) {
		fuzz_forgive();
		ok = cache_alloc_batch(cache, objects, count, flags);
		FUZZ_EXPECT(ok);
	}
	for (size_t i = 0; ok && i < count; i++)
		accept_object(cache, objects[i]);
}

static void free_batch(struct input *input)
{
	struct cache *cache = any_cache(input);
	size_t most = input_below(input, BATCH_MAX + 1), count = 0;
	unsigned int index = input_byte(input);
	void *objects[BATCH_MAX];
	struct shadow_block *block;

	if (!cache)
		return;
	while (count < most && (block = shadow_pick(index, KIND_OBJECT, cache)))
		objects[count++] = release_object(block);
	fuzz_trace("free a batch of %zu of cache %u", count, cache->id);
	cache_free_batch(cache, objects, count);
}

static void alloc_untouched(struct input *input)
{
	struct cache *cache = any_cache(input);
	void *object;

	if (!cache || !shadow_has_room(1, cache->size))
		return;
	object = cache_alloc_untouched(cache, 0);
	fuzz_trace("untouched object of %zu bytes: %p", cache->size, object);
	if (!object)
		return;
	FUZZ_EXPECT(!cache->constructor);
	shadow_expect_zero(object, cache->size);
	accept_object(cache, object);
}

static void shrink(struct input *input)
{
	struct cache *cache = any_cache(input);
	bool is_left;

	if (!cache)
		return;
	is_left = cache_shrink(cache);
	fuzz_trace("shrink cache %u: %d", cache->id, is_left);
	FUZZ_EXPECT(is_left == (shadow_count(KIND_OBJECT, cache) > 0));
}

static void shrink_all(struct input *input)
{
	bool and_pages = input_bit(input);

	fuzz_trace("shrink all");
	caches_shrink();
	if (and_pages)
		pages_trim(0);
}

static void check_cache(struct cache *cache)
{
	size_t live = shadow_count(KIND_OBJECT, cache), objects, cached;

	cache_check(cache);
	objects = cache->nr_slabs * cache->slab_objects;
	cached = cache->barn.objects + cpu_arrays_count(cache->id);
	FUZZ_EXPECT(objects == live + cache->free_objects + cached);
	if (cache->flags & SM_CACHE_NO_SHEAVES)
		FUZZ_EXPECT(cached == 0);
}

static void check(void)
{
	page_check();
	for (unsigned int id = 1; id <= SIZE_CLASSES; id++)
		check_cache(cache_of_class(id, 0));
	for (int i = 0; i < OWN_CACHES; i++) {
		if (own_caches[i])
			check_cache(own_caches[i]);
	}
}

static void finish(void)
{
	struct shadow_block *block;

	while ((block = shadow_pick(0, KIND_OBJECT, NULL))) {
		struct cache *cache = block->owner;

		free_object(cache, release_object(block));
	}
	for (int i = 0; i < OWN_CACHES; i++) {
		if (own_caches[i])
			destroy_cache(own_caches[i]);
		own_caches[i] = NULL;
	}
	caches_shrink();
	for (unsigned int id = 1; id <= SIZE_CLASSES; id++)
		FUZZ_EXPECT(cache_of_class(id, 0)->nr_slabs == 0);
	fuzz_expect_no_leak(false);
}

static const fuzz_operation operations[] = {
	create_or_destroy,
	alloc_objects,
	alloc_objects,
	free_objects,
	free_objects,
	alloc_batch,
	free_batch,
	free_batch,
	alloc_objects,
	free_objects,
	alloc_untouched,
	create_or_destroy,
	shrink,
	shrink_all,
};

const struct fuzzer fuzzer = {
	.start = start,
	.operations = operations,
	.nr_operations = ARRAY_SIZE(operations),
	.check = check,
	.finish = finish,
	.is_inside_gate = true,
};
