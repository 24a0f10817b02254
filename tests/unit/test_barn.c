/* SPDX-License-Identifier: MIT */
/* The barn: whole batches in and out, and no more of them than it holds. */
#include "slab/slab_internal.h"

#include "wake_slab.h"

static void *objects[SHEAF_CAPACITY], *got[SHEAF_CAPACITY];

static struct cache *wake_cache(void)
{
	struct cache *cache;

	wake_slabs();
	cache = cache_create("test", 64, 0, 0, NULL);
	EXPECT(cache);
	return cache;
}

static void take_objects(struct cache *cache, unsigned int count)
{
	EXPECT(cache_alloc_batch(cache, objects, count, 0));
}

TEST(batch_comes_out_as_it_went_in_the_last_one_first)
{
	struct cache *cache = wake_cache();

	take_objects(cache, 12);
	EXPECT(barn_put(&cache->barn, objects, 5, 0));
	EXPECT(barn_put(&cache->barn, objects + 5, 7, 0));
	EXPECT_EQ(cache->barn.objects, 12);
	cache_check(cache);
	EXPECT_EQ(barn_get(&cache->barn, got, 0), 7);
	EXPECT_EQ(memcmp(got, objects + 5, 7 * sizeof(void *)), 0);
	EXPECT_EQ(barn_get(&cache->barn, got, 0), 5);
	EXPECT_EQ(memcmp(got, objects, 5 * sizeof(void *)), 0);
	EXPECT_EQ(barn_get(&cache->barn, got, 0), 0);
	EXPECT_EQ(cache->barn.objects, 0);
	EXPECT_EQ(cache->barn.gets, 2);
	EXPECT_EQ(cache->barn.puts, 2);
	cache_check(cache);
}

TEST(full_barn_refuses)
{
	struct cache *cache = wake_cache();
	unsigned int most = cache->barn.max_full;

	EXPECT(most > 0);
	take_objects(cache, 1);
	for (unsigned int i = 0; i < most; i++)
		EXPECT(barn_put(&cache->barn, objects, 1, 0));
	EXPECT(!barn_put(&cache->barn, objects, 1, 0));
	EXPECT_EQ(cache->barn.objects, most);
	EXPECT_EQ(barn_get(&cache->barn, got, 0), 1);
	EXPECT(barn_put(&cache->barn, objects, 1, 0));
}

TEST(cache_without_sheaves_has_no_barn)
{
	struct cache *cache;

	wake_slabs();
	cache = cache_create("test", 64, 0, SM_CACHE_NO_SHEAVES, NULL);
	take_objects(cache, 1);
	EXPECT(!barn_put(&cache->barn, objects, 1, 0));
}

static size_t meta_pages(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return stats.used[USE_META];
}

TEST(sheaves_are_used_again)
{
	struct cache *cache = wake_cache();
	size_t before = 0;

	take_objects(cache, 1);
	for (int round = 0; round < 2000; round++) {
		unsigned int count = 0;

		while (barn_put(&cache->barn, objects, 1, 0))
			count++;
		EXPECT_EQ(count, cache->barn.max_full);
		while (barn_get(&cache->barn, got, 0))
			count--;
		EXPECT_EQ(count, 0);
		if (round == 0)
			before = meta_pages();
	}
	EXPECT_EQ(meta_pages(), before);
}

TEST(emptied_barn_gives_its_objects_to_their_slabs)
{
	struct cache *cache = wake_cache();

	take_objects(cache, 60);
	EXPECT(barn_put(&cache->barn, objects, 30, 0));
	EXPECT(barn_put(&cache->barn, objects + 30, 30, 0));
	barn_empty_out(cache);
	EXPECT_EQ(cache->barn.objects, 0);
	EXPECT_EQ(cache->barn.nr_empty, 0);
	for (int i = 0; i < 60; i++)
		EXPECT(cache_object_is_free(cache, objects[i]));
	cache_check(cache);
}

TEST(nowait_does_not_wait_for_the_barn)
{
	struct cache *cache = wake_cache();
	size_t calls;

	take_objects(cache, 2);
	EXPECT(barn_put(&cache->barn, objects, 1, 0));
	lock_acquire(&cache->barn.lock);
	EXPECT_EQ(barn_get(&cache->barn, got, SM_NOWAIT), 0);
	EXPECT(!barn_put(&cache->barn, objects + 1, 1, SM_NOWAIT));
	lock_release(&cache->barn.lock);
	calls = os_call_count();
	EXPECT(barn_put(&cache->barn, objects + 1, 1, SM_NOWAIT));
	EXPECT_EQ(barn_get(&cache->barn, got, SM_NOWAIT), 1);
	EXPECT_EQ(os_call_count(), calls);
}

TEST(without_memory_for_a_sheaf_the_batch_stays_with_its_owner)
{
	struct cache *cache = wake_cache();

	take_objects(cache, 1);
	os_fail_nth(1, SIZE_MAX);
	while (meta_alloc(META_BYTES_MAX, 0))
		continue;
	while (meta_alloc(sizeof(struct sheaf), 0))
		continue;
	EXPECT(!barn_put(&cache->barn, objects, 1, 0));
	os_fail_nth(0, 0);
	EXPECT(barn_put(&cache->barn, objects, 1, 0));
	cache_check(cache);
}
