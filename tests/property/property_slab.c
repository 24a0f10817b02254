/* SPDX-License-Identifier: MIT */
/* Object caches against a list of what is live, searched from the start. */
#include <slubmalloc/flags.h>

#include "slab/slab_internal.h"

#include "wake_slab.h"

enum {
	LIVE_MAX = 3000,
	STEPS = 6000,
	BURST_MAX = 200
};

/* The twin: every live object, in no order. */
struct horrible_cache {
	unsigned char *objects[LIVE_MAX];
	unsigned char fills[LIVE_MAX];
	size_t live;
};

static struct horrible_cache twin;
static size_t constructed; /* objects, in the life of the cache */

static void construct(void *object)
{
	memset(object, 0xc5, 16);
	constructed++;
}

static void note_taken(struct cache *cache, void *object, uint64_t *random)
{
	unsigned char *taken = object;

	EXPECT_EQ((uintptr_t)object % cache->align, 0);
	for (size_t i = 0; i < twin.live; i++)
		EXPECT(taken + cache->size <= twin.objects[i] ||
		       twin.objects[i] + cache->size <= taken);
	if (cache->constructor)
		EXPECT(is_filled(taken, 16, 0xc5));
	twin.objects[twin.live] = taken;
	twin.fills[twin.live] = (unsigned char)test_random(random);
	memset(taken, twin.fills[twin.live], cache->size);
	twin.live++;
}

/* A live object, forgotten by the twin and as it must be to be freed. */
static void *forget_one(struct cache *cache, uint64_t *random)
{
	size_t i = test_random(random) % twin.live;
	unsigned char *object = twin.objects[i];

	EXPECT(is_filled(object, cache->size, twin.fills[i]));
	EXPECT(!cache_object_is_free(cache, object));
	EXPECT(cache_object_at(cache, object + cache->size - 1) == object);
	twin.live--;
	twin.objects[i] = twin.objects[twin.live];
	twin.fills[i] = twin.fills[twin.live];
	if (cache->constructor)
		memset(object, 0xc5, 16);
	return object;
}

static void take_one(struct cache *cache, uint64_t *random)
{
	void *object;

	if (twin.live == LIVE_MAX)
		return;
	if (!cpu_array_pop(cache->id, &object))
		object = cache_alloc_slow(cache, 0);
	EXPECT(object);
	note_taken(cache, object, random);
}

static void give_one(struct cache *cache, uint64_t *random)
{
	void *object;

	if (twin.live == 0)
		return;
	object = forget_one(cache, random);
	if (!cpu_array_push(cache->id, object))
		cache_free_slow(cache, object);
}

static void take_many(struct cache *cache, uint64_t *random)
{
	void *objects[BURST_MAX];
	size_t count = 1 + test_random(random) % BURST_MAX;

	if (twin.live + count > LIVE_MAX)
		return;
	EXPECT(cache_alloc_batch(cache, objects, count, 0));
	for (size_t i = 0; i < count; i++)
		note_taken(cache, objects[i], random);
}

static void give_many(struct cache *cache, uint64_t *random)
{
	void *objects[BURST_MAX];
	size_t count = test_random(random) % BURST_MAX;

	if (twin.live < count)
		return;
	for (size_t i = 0; i < count; i++)
		objects[i] = forget_one(cache, random);
	cache_free_batch(cache, objects, count);
}

static void take_untouched(struct cache *cache, uint64_t *random)
{
	unsigned char *object;

	if (twin.live == LIVE_MAX)
		return;
	object = cache_alloc_untouched(cache, 0);
	if (!object)
		return;
	EXPECT(is_filled(object, cache->size, 0));
	note_taken(cache, object, random);
}

static void shrink(struct cache *cache, uint64_t *random)
{
	if (test_random(random) % 20 == 0)
		EXPECT_EQ(cache_shrink(cache), twin.live > 0);
}

static void sweep(struct cache *cache, uint64_t *random)
{
	static struct sweep sweep;

	sweep.pass++;
	sweep.budget = (long)(test_random(random) % 200);
	cache_sweep(cache, &sweep);
}

/* The counters are right to the last object: nobody else is at it. */
static void compare(struct cache *cache)
{
	struct cache_stats stats;

	cache_check(cache);
	for (size_t i = 0; cache_stats_at(i, &stats); i++) {
		if (stats.name == cache->name)
			break;
	}
	EXPECT_EQ(stats.name, cache->name);
	EXPECT_EQ(stats.objects - stats.free - stats.cached, twin.live);
}

static void live_randomly(size_t size, size_t align, unsigned int flags,
			  void (*constructor)(void *), uint64_t seed)
{
	static void (*const operations[])(struct cache *, uint64_t *) = {
		take_one,  take_one,  take_one,	      give_one, give_one,
		take_many, give_many, take_untouched, shrink,	sweep,
	};
	struct cache *cache =
		cache_create("property", size, align, flags, constructor);
	uint64_t random = seed;

	EXPECT(cache);
	for (int step = 0; step < STEPS; step++) {
		operations[test_random(&random) % ARRAY_SIZE(operations)](
			cache, &random);
		compare(cache);
	}
	EXPECT_EQ(cache_destroy(cache), twin.live == 0);
	while (twin.live > 0)
		give_one(cache, &random);
	if (cache_of_id(cache->id) == cache)
		EXPECT(cache_destroy(cache));
}

TEST(small_objects_agree_with_a_plain_list)
{
	wake_slabs();
	live_randomly(48, 0, 0, NULL, test_seed());
}

TEST(aligned_objects_agree_with_a_plain_list)
{
	wake_slabs();
	live_randomly(100, 64, SM_CACHE_HWALIGN, NULL, test_seed() + 1);
}

TEST(constructed_objects_agree_with_a_plain_list)
{
	wake_slabs();
	live_randomly(240, 0, 0, construct, test_seed() + 2);
	EXPECT(constructed > 0);
}

TEST(objects_without_sheaves_agree_with_a_plain_list)
{
	wake_slabs();
	live_randomly(64, 0, SM_CACHE_NO_SHEAVES, NULL, test_seed() + 3);
}

TEST(large_objects_agree_with_a_plain_list)
{
	wake_slabs();
	live_randomly(9000, 16, 0, NULL, test_seed() + 4);
}
