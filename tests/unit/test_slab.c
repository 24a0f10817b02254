/* SPDX-License-Identifier: MIT */
/* Slabs: how they're cut, which objects they hand out, what they take back. */
#include "slab/slab_internal.h"

#include "wake_slab.h"

enum {
	MANY = 5000
};

static void *objects[MANY];

static struct cache *make_cache(size_t size)
{
	struct cache *cache =
		cache_create("test", size, 0, SM_CACHE_NO_SHEAVES, NULL);

	EXPECT(cache);
	return cache;
}

static size_t bytes_of_slab(const struct cache *cache)
{
	return (size_t)1 << (cache->slab_order + os_page_shift);
}

static void take(struct cache *cache, void **into, unsigned int count)
{
	EXPECT(cache_alloc_batch(cache, into, count, 0));
	cache_check(cache);
}

static void give(struct cache *cache, void *object)
{
	slabs_return(cache, &object, 1);
	cache_check(cache);
}

/* Sizes from 16 bytes up, some of them odd multiples. */
static size_t next_size(size_t size)
{
	return size < 2048 ? size + QUANTUM : size + size / 64 / 16 * 16 + 16;
}

TEST(every_size_has_a_slab_that_wastes_little)
{
	wake_os();
	for (size_t size = QUANTUM; size <= SM_CACHE_SIZE_MAX;
	     size = next_size(size)) {
		struct cache cache = { .size = size };
		size_t bytes;

		EXPECT(slab_layout(&cache));
		bytes = bytes_of_slab(&cache);
		EXPECT(bytes <= (size_t)1 << PAGEBLOCK_SHIFT);
		EXPECT_EQ(cache.slab_objects, bytes / size);
		EXPECT(cache.slab_objects >= 4);
		EXPECT(cache.slab_objects <= SLAB_OBJECTS_MAX);
		EXPECT(bytes % size <= bytes / 8);
	}
}

TEST(size_classes_waste_at_most_an_eighth_of_a_slab)
{
	wake_slabs();
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++) {
		const struct cache *cache = cache_of_class(class, 0);

		EXPECT_EQ(cache->size, size_class_bytes(class));
		EXPECT(cache->slab_objects >= 8);
		EXPECT(bytes_of_slab(cache) % cache->size <=
		       bytes_of_slab(cache) / 8);
		cache_check(cache_of_class(class, 0));
	}
}

/* The reciprocal multiplication finds the object of every boundary. */
static void check_boundaries(struct cache *cache)
{
	char *start = NULL;

	take(cache, (void **)&start, 1);
	for (size_t i = 0; i < cache->slab_objects; i++) {
		char *object = start + i * cache->size;

		EXPECT_EQ(cache_object_at(cache, object), object);
		EXPECT_EQ(cache_object_at(cache, object + 1), object);
		EXPECT_EQ(cache_object_at(cache, object + cache->size - 1),
			  object);
		EXPECT(cache_has_object(cache, object));
		for (size_t off = 1; off < cache->size; off = 2 * off + 1)
			EXPECT(!cache_has_object(cache, object + off));
		EXPECT(!cache_has_object(cache, object + cache->size - 1));
	}
	for (char *tail = start + cache->slab_objects * cache->size;
	     tail < start + bytes_of_slab(cache); tail += 16) {
		EXPECT_EQ(cache_object_at(cache, tail), NULL);
		EXPECT(!cache_has_object(cache, tail));
	}
	give(cache, start);
}

TEST(object_of_an_address_is_found_for_every_size)
{
	struct cache *cache;

	wake_slabs();
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++)
		check_boundaries(cache_of_class(class, 0));
	for (size_t size = QUANTUM; size <= SM_CACHE_SIZE_MAX;
	     size = next_size(size)) {
		cache = make_cache(size);
		check_boundaries(cache);
		EXPECT(cache_destroy(cache));
	}
}

TEST(objects_come_lowest_address_first)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(96);
	take(cache, objects, cache->slab_objects);
	for (unsigned int i = 1; i < cache->slab_objects; i++)
		EXPECT_EQ(objects[i], (char *)objects[0] + i * 96);
	give(cache, objects[7]);
	give(cache, objects[3]);
	give(cache, objects[5]);
	take(cache, objects + MANY - 3, 3);
	EXPECT_EQ(objects[MANY - 3], objects[3]);
	EXPECT_EQ(objects[MANY - 2], objects[5]);
	EXPECT_EQ(objects[MANY - 1], objects[7]);
}

/* The slab of @object, as a number that's the same for all objects in it. */
static uintptr_t slab_of(const struct cache *cache, const void *object)
{
	return (uintptr_t)object / bytes_of_slab(cache);
}

TEST(objects_come_from_the_fullest_slab_first)
{
	struct cache *cache;
	unsigned int n;
	void *object;

	wake_slabs();
	cache = make_cache(256);
	n = cache->slab_objects;
	take(cache, objects, 3 * n); /* three full slabs */
	for (unsigned int i = 0; i < n / 2; i++)
		give(cache, objects[i]); /* half full */
	give(cache, objects[n]);	 /* nearly full */
	for (unsigned int i = 0; i < n - 1; i++)
		give(cache, objects[2 * n + i]); /* nearly empty */
	take(cache, &object, 1);
	EXPECT_EQ(slab_of(cache, object), slab_of(cache, objects[n]));
	take(cache, &object, 1);
	EXPECT_EQ(slab_of(cache, object), slab_of(cache, objects[0]));
	take(cache, objects + 4 * n, n / 2 - 1);
	take(cache, &object, 1);
	EXPECT_EQ(slab_of(cache, object), slab_of(cache, objects[2 * n]));
}

TEST(few_empty_slabs_are_kept_and_the_rest_given_back)
{
	struct cache *cache;
	size_t slabs;

	wake_slabs();
	cache = make_cache(128);
	slabs = 10;
	take(cache, objects, (unsigned int)slabs * cache->slab_objects / 2);
	slabs = cache->nr_slabs;
	EXPECT(slabs > cache->max_empty);
	for (unsigned int i = 0; i < 5 * cache->slab_objects; i++)
		give(cache, objects[i]);
	EXPECT_EQ(cache->nr_slabs, cache->max_empty);
	EXPECT_EQ(cache->nr_empty, cache->max_empty);
	EXPECT(!cache_shrink(cache));
	EXPECT_EQ(cache->nr_slabs, 0);
	EXPECT_EQ(page_class(objects[0]), 0);
	cache_check(cache);
}

TEST(free_of_a_free_object_is_a_double_free)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(64);
	take(cache, objects, 2);
	give(cache, objects[0]);
	EXPECT(cache_object_is_free(cache, objects[0]));
	EXPECT(!cache_object_is_free(cache, objects[1]));
	EXPECT_PANIC("double free", give(cache, objects[0]));
	EXPECT_PANIC("double free", cache_free_slow(cache, objects[0]));
	/* Even when nothing else is left in the slab. */
	EXPECT_PANIC("double free",
		     (give(cache, objects[1]), give(cache, objects[1])));
}

TEST(free_of_what_is_no_object_is_told)
{
	struct cache *cache, *other;
	char *behind;

	wake_slabs();
	cache = make_cache(48);
	other = make_cache(48);
	take(cache, objects, 1);
	take(other, objects + 1, 1);
	behind = (char *)objects[0] + (size_t)cache->slab_objects * 48;
	EXPECT_PANIC("inside a block", give(cache, (char *)objects[0] + 16));
	EXPECT_PANIC("inside a block",
		     cache_free_slow(cache, (char *)objects[0] + 16));
	EXPECT(behind < (char *)objects[0] + bytes_of_slab(cache));
	EXPECT_PANIC("inside a block", give(cache, behind));
	EXPECT_PANIC("of another cache", give(cache, objects[1]));
	EXPECT_PANIC("in no slab", give(cache, objects));
}

TEST(fresh_slab_offers_objects_that_are_zero)
{
	struct cache *cache;
	char *object;

	wake_slabs();
	cache = make_cache(8192);
	for (unsigned int i = 0; i < 3 * cache->slab_objects; i++) {
		object = cache_alloc_untouched(cache, 0);
		EXPECT(object);
		EXPECT(is_filled(object, 8192, 0));
		memset(object, 0xa5, 8192);
		objects[i] = object;
		cache_check(cache);
	}
	EXPECT_EQ(cache->nr_slabs, 3);
	give(cache, objects[0]);
	EXPECT_EQ(cache_alloc_untouched(cache, 0), NULL);
}

TEST(object_that_was_taken_once_is_no_more_untouched)
{
	struct cache *cache;
	char *object;

	wake_slabs();
	cache = make_cache(8192);
	take(cache, objects, 3);
	for (int i = 0; i < 3; i++) {
		memset(objects[i], 0xa5, 8192);
		give(cache, objects[i]);
	}
	object = cache_alloc_untouched(cache, 0);
	EXPECT_EQ(object, (char *)objects[0] + 3 * 8192);
	EXPECT(is_filled(object, 8192, 0));
}

TEST(slab_of_used_pages_offers_none_as_zero)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(8192);
	take(cache, objects, 1);
	memset(objects[0], 0xa5, 8192);
	give(cache, objects[0]);
	EXPECT(!cache_shrink(cache)); /* to the per-CPU page lists */
	EXPECT_EQ(cache_alloc_untouched(cache, 0), NULL);
	EXPECT_EQ(cache->nr_slabs, 1);
}

static void fill_object(void *object)
{
	memset(object, 0x77, 8192);
}

TEST(constructed_object_is_not_zero)
{
	struct cache *cache;

	wake_slabs();
	cache = cache_create("test", 8192, 0, 0, fill_object);
	EXPECT_EQ(cache_alloc_untouched(cache, 0), NULL);
	take(cache, objects, 1);
	EXPECT(is_filled(objects[0], 8192, 0x77));
}

TEST(nowait_makes_no_system_call_and_waits_for_nobody)
{
	struct cache *cache;
	size_t calls, taken = 0;

	wake_slabs();
	cache = make_cache(1024);
	calls = os_call_count();
	while (slabs_take(cache, objects, 16, SM_NOWAIT))
		taken++;
	EXPECT(taken > 0);
	EXPECT_EQ(os_call_count(), calls);
	take(cache, objects, 1);
	lock_acquire(&cache->lock);
	EXPECT_EQ(slabs_take(cache, objects, 1, SM_NOWAIT), 0);
	EXPECT_EQ(cache_alloc_untouched(cache, SM_NOWAIT), NULL);
	lock_release(&cache->lock);
	EXPECT_EQ(slabs_take(cache, objects, 1, SM_NOWAIT), 1);
	cache_check(cache);
}

static bool live_a_little(void)
{
	static const size_t sizes[] = { 16, 200, 3000, 30000 };
	bool ok = true;

	for (int i = 0; i < 4; i++) {
		struct cache *cache =
			cache_of_class(size_class_of(sizes[i]), 0);
		unsigned int count = i == 0 ? MANY : 200;

		for (unsigned int n = 0; n < count; n++) {
			objects[n] = cache_alloc_slow(cache, 0);
			ok &= objects[n] != NULL;
		}
		for (unsigned int n = 0; n < count; n++) {
			if (objects[n])
				cache_free_slow(cache, objects[n]);
		}
		cache_check(cache);
	}
	return ok;
}

static void live_and_recover(void)
{
	live_a_little();
	os_fail_nth(0, 0);
	EXPECT(live_a_little());
	caches_shrink();
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++)
		EXPECT_EQ(cache_of_class(class, 0)->nr_slabs, 0);
	page_check();
}

TEST(any_system_call_may_fail_and_nothing_is_lost)
{
	wake_slabs();
	fail_each_call(live_and_recover);
}

static void break_and_check(struct cache *cache, void (*damage)(struct cache *))
{
	damage(cache);
	cache_check(cache);
}

static struct slab *first_slab(struct cache *cache)
{
	return page_find((void *)round_down((uintptr_t)objects[0],
					    bytes_of_slab(cache)))
		->owner;
}

static void miscount_free(struct cache *cache)
{
	cache->free_objects++;
}

static void miscount_empty(struct cache *cache)
{
	cache->nr_empty++;
}

static void lose_a_bit(struct cache *cache)
{
	first_slab(cache)->free_map[0] ^= 2;
}

static void misplace(struct cache *cache)
{
	list_remove(&first_slab(cache)->link);
	list_add_head(&cache->empty, &first_slab(cache)->link);
}

static void misname_pages(struct cache *cache)
{
	page_set_class(first_slab(cache)->start, 1, cache->id + 1);
}

TEST(check_sees_every_kind_of_damage)
{
	struct cache *cache;

	wake_slabs();
	cache = make_cache(64);
	take(cache, objects, 1);
	EXPECT_PANIC("broken", break_and_check(cache, miscount_free));
	EXPECT_PANIC("broken", break_and_check(cache, miscount_empty));
	EXPECT_PANIC("broken", break_and_check(cache, lose_a_bit));
	EXPECT_PANIC("broken", break_and_check(cache, misplace));
	EXPECT_PANIC("broken", break_and_check(cache, misname_pages));
}
