/* SPDX-License-Identifier: MIT */
/* Object caches: made, used through the slow paths, shrunk and ended. */
#include "slab/slab_internal.h"

#include <sched.h>

#include "wake_slab.h"

enum {
	MANY = 3000
};

static void *objects[MANY];

static struct cache *make_cache(size_t size, size_t align, unsigned int flags)
{
	struct cache *cache = cache_create("test", size, align, flags, NULL);

	EXPECT(cache);
	return cache;
}

static void *alloc(struct cache *cache)
{
	void *object = NULL;

	if (!cpu_array_pop(cache->id, &object))
		object = cache_alloc_slow(cache, 0);
	return object;
}

static void release(struct cache *cache, void *object)
{
	if (!cpu_array_push(cache->id, object))
		cache_free_slow(cache, object);
}

static size_t count_caches(void)
{
	struct cache_stats stats;
	size_t count = 0;

	while (cache_stats_at(count, &stats))
		count++;
	return count;
}

TEST(every_size_class_has_its_cache)
{
	struct cache_stats stats;

	wake_slabs();
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++) {
		struct cache *cache = cache_of_class(class, 0);

		EXPECT_EQ(cache_of_id(class), cache);
		EXPECT(cache_stats_at(class - 1, &stats));
		EXPECT_EQ(stats.size, size_class_bytes(class));
	}
	EXPECT_EQ(count_caches(), SIZE_CLASSES);
	EXPECT_EQ(cache_of_id(0), NULL);
	EXPECT_EQ(strcmp(cache_of_id(1)->name, "malloc-16"), 0);
	EXPECT_EQ(strcmp(cache_of_id(SIZE_CLASSES)->name, "malloc-32768"), 0);
}

TEST(size_class_has_its_cache_from_its_first_use_on)
{
	struct cache_stats stats;
	struct cache *large, *small;

	wake_slabs();
	EXPECT_EQ(cache_of_id(9), NULL);
	large = cache_of_class(9, 0);
	EXPECT_EQ(cache_of_id(9), large);
	EXPECT_EQ(cache_of_class(9, SM_NOWAIT), large);
	small = cache_of_class(3, SM_NOWAIT);
	EXPECT_EQ(cache_of_id(3), small);
	EXPECT(small != large);
	/* Statistics go by size all the same. */
	EXPECT(cache_stats_at(2, &stats));
	EXPECT_EQ(stats.size, size_class_bytes(3));
	EXPECT(cache_stats_at(8, &stats));
	EXPECT_EQ(stats.size, size_class_bytes(9));
}

/* Its arrays start small, and move to have more room. */
TEST(cache_that_is_only_freed_into_gets_room)
{
	struct cache *cache;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	wake_slabs();
	cache = cache_of_class(4, 0);
	EXPECT(cache_alloc_batch(cache, objects, 400, 0));
	for (int i = 0; i < 400; i++)
		release(cache, objects[i]);
	EXPECT(cpu_arrays_count(cache->id) > 64);
	cache_shrink(cache);
	EXPECT_EQ(cpu_arrays_count(cache->id), 0);
	EXPECT_EQ(cache->nr_slabs, 0);
}

TEST(size_and_alignment_are_at_least_what_was_asked_for)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(1, 0, 0);
	EXPECT_EQ(cache->size, 16);
	cache = make_cache(100, 0, 0);
	EXPECT_EQ(cache->size, 112);
	cache = make_cache(100, 64, 0);
	EXPECT_EQ(cache->size, 128);
	cache = make_cache(10, 4096, 0);
	EXPECT_EQ(cache->size, 4096);
	EXPECT_EQ((uintptr_t)alloc(cache) % 4096, 0);
	cache = make_cache(100, 0, SM_CACHE_HWALIGN);
	EXPECT_EQ(cache->size, 128);
	cache = make_cache(20, 0, SM_CACHE_HWALIGN);
	EXPECT_EQ(cache->size, 32);
}

TEST(objects_are_apart_and_aligned_through_all_sources)
{
	wake_slabs();
	for (size_t align = 16; align <= 4096; align *= 4) {
		struct cache *cache = make_cache(200, align, 0);

		for (int i = 0; i < MANY / 4; i++) {
			objects[i] = alloc(cache);
			EXPECT_EQ((uintptr_t)objects[i] % align, 0);
			memset(objects[i], i, 200);
		}
		for (int i = 0; i < MANY / 4; i++) {
			EXPECT(is_filled(objects[i], 200, i & 255));
			release(cache, objects[i]);
		}
		cache_check(cache);
		EXPECT(cache_destroy(cache));
	}
}

static unsigned int constructed;

static void construct(void *object)
{
	constructed++;
	memset(object, 0x77, 128);
}

TEST(constructor_runs_once_for_every_object_of_a_slab)
{
	struct cache *cache;

	wake_slabs();
	cache = cache_create("test", 128, 0, 0, construct);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 500; i++) {
			objects[i] = alloc(cache);
			EXPECT(is_filled(objects[i], 128, 0x77));
		}
		for (int i = 0; i < 500; i++)
			release(cache, objects[i]);
	}
	EXPECT(constructed >= 500);
	EXPECT_EQ(constructed % cache->slab_objects, 0);
	EXPECT(constructed <= 1000);
}

TEST(cache_with_live_objects_is_not_destroyed)
{
	struct cache *cache;
	void *object;

	wake_slabs();
	cache = make_cache(100, 0, 0);
	for (int i = 0; i < 1000; i++)
		objects[i] = alloc(cache);
	object = objects[999];
	for (int i = 0; i < 999; i++)
		release(cache, objects[i]);
	EXPECT(!cache_destroy(cache));
	EXPECT_EQ(cache_of_id(cache->id), cache);
	/* It works as before. */
	for (int i = 0; i < 1000; i++)
		objects[i] = alloc(cache);
	for (int i = 0; i < 1000; i++)
		release(cache, objects[i]);
	release(cache, object);
	cache_check(cache);
	EXPECT(cache_destroy(cache));
	EXPECT_EQ(cache_of_id(RUN_CLASS_LAST + 1), NULL);
}

TEST(shrink_gives_back_all_that_is_free_wherever_it_lies)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(100, 0, 0);
	for (int i = 0; i < MANY; i++)
		objects[i] = alloc(cache);
	for (int i = 1; i < MANY; i++)
		release(cache, objects[i]);
	EXPECT(cache_shrink(cache));
	EXPECT_EQ(cache->nr_slabs, 1);
	release(cache, objects[0]);
	EXPECT(!cache_shrink(cache));
	EXPECT_EQ(cache->nr_slabs, 0);
	EXPECT_EQ(cpu_arrays_count(cache->id), 0);
	cache_check(cache);
}

TEST(numbers_run_out_and_come_back)
{
	struct cache *caches[CPU_ARRAYS];
	unsigned int count = 0, id;

	wake_slabs();
	while ((caches[count] = cache_create("test", 64, 0, 0, NULL))) {
		objects[count] = alloc(caches[count]);
		EXPECT_EQ(page_class(objects[count]), caches[count]->id);
		count++;
	}
	EXPECT_EQ(count, CPU_ARRAYS - 1 - RUN_CLASS_LAST);
	id = caches[17]->id;
	release(caches[17], objects[17]);
	EXPECT(cache_destroy(caches[17]));
	caches[17] = make_cache(200, 0, 0);
	EXPECT_EQ(caches[17]->id, id);
	objects[17] = alloc(caches[17]);
	for (unsigned int i = 0; i < count; i++) {
		cache_check(caches[i]);
		release(caches[i], objects[i]);
		EXPECT(cache_destroy(caches[i]));
	}
}

TEST(number_of_a_cache_with_sheaves_serves_one_without)
{
	struct cache *cache;
	unsigned int id;
	void *object;

	wake_slabs();
	cache = make_cache(64, 0, 0);
	id = cache->id;
	for (int i = 0; i < 100; i++)
		objects[i] = alloc(cache);
	for (int i = 0; i < 100; i++)
		release(cache, objects[i]);
	EXPECT(cache_destroy(cache));
	cache = make_cache(64, 0, SM_CACHE_NO_SHEAVES);
	EXPECT_EQ(cache->id, id);
	object = alloc(cache);
	release(cache, object);
	EXPECT_PANIC("double free", release(cache, object));
}

TEST(double_free_is_seen_at_once_without_sheaves)
{
	struct cache *cache;
	void *object;

	wake_slabs();
	cache = make_cache(64, 0, SM_CACHE_NO_SHEAVES);
	alloc(cache);
	object = alloc(cache);
	release(cache, object);
	EXPECT_EQ(cpu_arrays_count(cache->id), 0);
	EXPECT_PANIC("double free", release(cache, object));
}

TEST(double_free_is_seen_at_a_drain_at_the_latest)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(64, 0, 0);
	objects[0] = alloc(cache);
	release(cache, objects[0]);
	release(cache, objects[0]);
	EXPECT_PANIC("double free", cache_shrink(cache));
}

TEST(batch_is_had_whole_or_not_at_all)
{
	struct cache *cache;
	size_t calls;

	wake_slabs();
	cache = make_cache(1000, 0, 0);
	EXPECT(cache_alloc_batch(cache, objects, MANY, 0));
	for (int i = 0; i < MANY; i++)
		memset(objects[i], i, 1000);
	for (int i = 0; i < MANY; i++)
		EXPECT(is_filled(objects[i], 1000, i & 255));
	cache_free_batch(cache, objects, MANY);
	cache_check(cache);
	EXPECT(!cache_shrink(cache));

	pages_trim(0);
	calls = os_call_count();
	EXPECT(!cache_alloc_batch(cache, objects, MANY, SM_NOWAIT));
	EXPECT_EQ(os_call_count(), calls);
	os_fail_nth(1, SIZE_MAX);
	EXPECT(!cache_alloc_batch(cache, objects, MANY, 0));
	os_fail_nth(0, 0);
	cache_check(cache);
	EXPECT(!cache_shrink(cache));
}

static size_t meta_pages(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return stats.used[USE_META];
}

TEST(caches_that_come_and_go_leave_nothing_behind)
{
	size_t before = 0;

	wake_slabs();
	for (int round = 0; round < 300; round++) {
		struct cache *cache = make_cache(40 + (size_t)round, 0, 0);

		for (int i = 0; i < 300; i++)
			objects[i] = alloc(cache);
		for (int i = 0; i < 300; i++)
			release(cache, objects[i]);
		EXPECT(cache_destroy(cache));
		if (round == 20)
			before = meta_pages();
	}
	EXPECT(meta_pages() <= before + pages_of(64 * KIB));
	page_check();
}

TEST(statistics_say_where_every_object_is)
{
	struct cache_stats stats;
	struct cache *cache;

	wake_slabs();
	cache = make_cache(64, 0, 0);
	for (int i = 0; i < MANY; i++)
		objects[i] = alloc(cache);
	for (int i = 1000; i < MANY; i++)
		release(cache, objects[i]);
	EXPECT(cache_stats_at(SIZE_CLASSES, &stats));
	EXPECT_EQ(stats.objects, stats.slabs * cache->slab_objects);
	EXPECT_EQ(stats.objects - stats.free - stats.cached, 1000);
	EXPECT(stats.cached > 0);
	EXPECT(stats.refills > 0);
}

TEST(name_is_copied_and_cut)
{
	struct cache *cache;
	char name[] = "a name that is far too long to be kept whole";

	wake_slabs();
	cache = cache_create(name, 64, 0, 0, NULL);
	memset(name, 'x', sizeof(name) - 1);
	EXPECT_EQ(strcmp(cache->name, "a name that is far too long to "), 0);
	EXPECT_EQ(strlen(cache->name), CACHE_NAME_BYTES - 1);
}

static void make_and_recover(void)
{
	struct cache *cache = cache_create("test", 5000, 0, 0, construct);

	for (int i = 0; i < 300; i++)
		objects[i] = cache ? alloc(cache) : NULL;
	for (int i = 0; i < 300; i++) {
		if (objects[i])
			release(cache, objects[i]);
	}
	os_fail_nth(0, 0);
	if (cache) {
		cache_check(cache);
		EXPECT(cache_destroy(cache));
	}
	cache = make_cache(5000, 0, 0);
	EXPECT(alloc(cache));
	page_check();
}

TEST(any_system_call_may_fail_and_nothing_is_lost)
{
	wake_slabs();
	/* So that a cache needs new pages, too. */
	while (meta_alloc(META_BYTES_MAX, SM_NOWAIT))
		continue;
	while (meta_alloc(64, SM_NOWAIT))
		continue;
	fail_each_call(make_and_recover);
}
