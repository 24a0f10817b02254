/* SPDX-License-Identifier: MIT */
/* Sweeps: which pages of slabs in use go back to the system, and when. */
#include "slab/slab_internal.h"

#include "wake_slab.h"

enum {
	SIZE = 16384, /* an object lies on some strips, or shares one */
	SLABS = 3,
	MANY = 4096,
	FILL = 0xa5,
	PLENTY = 1 << 20,
	PASS_MS = 1000,
};

static char *objects[MANY];
static struct sweep sweep;

static bool pass(struct cache *cache)
{
	sweep.pass++;
	sweep.budget = PLENTY;
	sweep.is_waiting = false;
	sweep.is_refused = false;
	cache_sweep(cache, &sweep);
	cache_check(cache);
	return sweep.is_waiting;
}

static void give(struct cache *cache, void *object)
{
	slabs_return(cache, &object, 1);
	cache_check(cache);
}

static void *take(struct cache *cache)
{
	void *object;

	EXPECT_EQ(slabs_take(cache, &object, 1, 0), 1);
	cache_check(cache);
	return object;
}

/* Slabs of which only the first object of each is in use. */
static struct cache *make_sparse(void (*constructor)(void *))
{
	struct cache *cache =
		cache_create("test", SIZE, 0, SM_CACHE_NO_SHEAVES, constructor);
	unsigned int count = SLABS * cache->slab_objects;

	EXPECT(cache_alloc_batch(cache, (void **)objects, count, 0));
	for (unsigned int i = 0; i < count; i++)
		memset(objects[i], FILL, SIZE);
	for (unsigned int i = 0; i < count; i++) {
		if (i % cache->slab_objects > 0)
			give(cache, objects[i]);
	}
	return cache;
}

/* Where the strips begin that have nothing of a slab's first object. */
static size_t first_free_byte(const struct cache *cache)
{
	return round_up(SIZE, (size_t)1 << strip_shift(cache));
}

/* What is free in the slab of @first, its first object, reads as @byte. */
static bool free_reads_as(const struct cache *cache, const char *first,
			  unsigned char byte)
{
	size_t from = first_free_byte(cache);

	return is_filled(first + from, cache->slab_objects * SIZE - from, byte);
}

static bool all_read_as(const struct cache *cache, unsigned char byte)
{
	for (unsigned int i = 0; i < SLABS; i++) {
		const char *first = objects[i * cache->slab_objects];

		EXPECT(is_filled(first, SIZE, FILL));
		if (!free_reads_as(cache, first, byte))
			return false;
	}
	return true;
}

TEST(memory_without_objects_goes_back_at_the_second_pass)
{
	struct cache *cache;
	size_t calls;

	wake_slabs();
	cache = make_sparse(NULL);
	EXPECT(pass(cache));
	EXPECT(all_read_as(cache, FILL));
	EXPECT(!pass(cache));
	EXPECT(all_read_as(cache, 0));
	calls = os_call_count();
	EXPECT(!pass(cache));
	EXPECT_EQ(os_call_count(), calls);
}

TEST(object_taken_in_between_keeps_its_memory)
{
	struct cache *cache;
	char *taken;

	wake_slabs();
	cache = make_sparse(NULL);
	pass(cache);
	taken = take(cache);
	give(cache, taken);
	pass(cache);
	/* Where strips are larger than objects, with its neighbours. */
	EXPECT(is_filled(taken, SIZE, FILL));
	EXPECT(!pass(cache));
	EXPECT(all_read_as(cache, 0));
}

TEST(returned_memory_is_used_and_returned_again)
{
	struct cache *cache;
	unsigned int count;

	wake_slabs();
	cache = make_sparse(NULL);
	pass(cache);
	pass(cache);
	count = SLABS * (cache->slab_objects - 1);
	for (unsigned int i = 0; i < count; i++) {
		objects[MANY / 2 + i] = take(cache);
		memset(objects[MANY / 2 + i], FILL, SIZE);
	}
	EXPECT_EQ(cache->nr_slabs, SLABS);
	for (unsigned int i = 0; i < count; i++)
		give(cache, objects[MANY / 2 + i]);
	EXPECT(all_read_as(cache, FILL));
	pass(cache);
	pass(cache);
	EXPECT(all_read_as(cache, 0));
}

TEST(refusal_of_the_system_leaves_all_as_it_was)
{
	struct cache *cache;
	size_t free, calls;

	wake_slabs();
	cache = make_sparse(NULL);
	free = cache->free_objects;
	pass(cache);
	calls = os_call_count();
	os_fail_nth(1, SIZE_MAX);
	pass(cache);
	EXPECT_EQ(os_call_count(), calls + 1);
	os_fail_nth(0, 0);
	EXPECT(sweep.is_refused);
	EXPECT(all_read_as(cache, FILL));
	EXPECT_EQ(cache->free_objects, free);
	/* One pass, for what the other had found idle. */
	pass(cache);
	pass(cache);
	EXPECT(all_read_as(cache, 0));
}

static void construct(void *object)
{
	memset(object, FILL, SIZE);
}

TEST(constructed_objects_stay)
{
	struct cache *cache;

	wake_slabs();
	cache = make_sparse(construct);
	EXPECT(!pass(cache));
	EXPECT(!pass(cache));
	EXPECT(all_read_as(cache, FILL));
}

TEST(memory_never_used_needs_no_return)
{
	struct cache *cache;
	size_t calls;

	wake_slabs();
	cache = cache_create("test", SIZE, 0, SM_CACHE_NO_SHEAVES, NULL);
	take(cache);
	calls = os_call_count();
	EXPECT(!pass(cache));
	EXPECT(!pass(cache));
	EXPECT_EQ(os_call_count(), calls);
}

TEST(pass_goes_on_where_its_budget_ended)
{
	struct cache *cache;
	unsigned int steps = 0;

	wake_slabs();
	cache = make_sparse(NULL);
	pass(cache);
	sweep.pass++;
	do {
		sweep.budget = 1;
		cache_sweep(cache, &sweep);
		cache_check(cache);
		steps++;
	} while (sweep.budget <= 0);
	EXPECT_EQ(steps, SLABS + 1);
	EXPECT(all_read_as(cache, 0));
}

static struct slab *slab_at(const char *first)
{
	return page_find(first)->owner;
}

TEST(object_freed_during_the_system_call_was_free_before)
{
	struct cache *cache;
	struct slab *slab;

	wake_slabs();
	cache = make_sparse(NULL);
	slab = slab_at(objects[0]);
	lock_acquire(&cache->lock);
	slab_isolate_locked(slab, 1, 2);
	lock_release(&cache->lock);
	cache_check(cache);
	slabs_return(cache, (void **)objects + 1, 1);
	lock_acquire(&cache->lock);
	EXPECT_PANIC("double free", slab_restore_locked(slab, 1, 2));
	lock_release(&cache->lock);
}

TEST(untouched_object_is_not_offered_during_the_system_call)
{
	struct cache *cache;
	struct slab *slab;
	char *first;

	wake_slabs();
	cache = cache_create("test", SIZE, 0, SM_CACHE_NO_SHEAVES, NULL);
	first = take(cache);
	slab = slab_at(first);
	lock_acquire(&cache->lock);
	slab_isolate_locked(slab, 1, 1);
	lock_release(&cache->lock);
	EXPECT_EQ(cache_alloc_untouched(cache, 0), NULL);
	lock_acquire(&cache->lock);
	slab_restore_locked(slab, 1, 1);
	lock_release(&cache->lock);
	EXPECT_EQ(cache_alloc_untouched(cache, 0), first + SIZE);
	cache_check(cache);
}

/* The size class of such objects, and of each slab the first one in use. */
static struct cache *make_sparse_class(void)
{
	struct cache *cache = cache_of_class(size_class_of(SIZE), 0);

	EXPECT(cache_alloc_batch(cache, (void **)objects, 1024, 0));
	for (unsigned int i = 0; i < 1024; i++)
		memset(objects[i], FILL, SIZE);
	for (unsigned int i = 0; i < 1024; i++) {
		if (i % cache->slab_objects > 0)
			cache_free_batch(cache, (void **)objects + i, 1);
	}
	return cache;
}

TEST(all_caches_are_swept_if_much_is_free)
{
	struct cache *cache;
	struct page_stats before, after;

	wake_slabs();
	pages_set_retain(PLENTY);
	EXPECT(!caches_sweep(PASS_MS));
	cache = make_sparse_class();
	page_stats(&before);
	/* Both at the same time are one pass. */
	EXPECT(caches_sweep(2 * PASS_MS));
	EXPECT(caches_sweep(2 * PASS_MS));
	EXPECT(free_reads_as(cache, objects[0], FILL));
	EXPECT(!caches_sweep(3 * PASS_MS));
	page_stats(&after);
	EXPECT(after.returned_bytes > before.returned_bytes);
	EXPECT_EQ(after.used[USE_SLAB], before.used[USE_SLAB]);
	EXPECT(free_reads_as(cache, objects[0], 0));
	cache_check(cache);
}

TEST(what_is_to_be_retained_stays_in_slabs_as_well)
{
	struct cache *cache;

	wake_slabs();
	pages_set_retain((size_t)1 << 30);
	cache = make_sparse_class();
	for (uint64_t now = PASS_MS; now < 4 * PASS_MS; now += PASS_MS)
		EXPECT(!caches_sweep(now));
	EXPECT(free_reads_as(cache, objects[0], FILL));
}
