/* SPDX-License-Identifier: MIT */
/*
 * Random life of the whole heap, next to a twin that is obviously right: a list
 * of the live blocks, each full of a byte of its own, that is searched from the
 * start. Now and then a system call fails, and then a block may be refused, but
 * nothing else may change.
 */
#include <slubmalloc/slubmalloc.h>

#include <errno.h>

#include "heap/heap.h"
#include "wake_page.h"

enum {
	LIVE_MAX = 250,
	ROUNDS = 3000,
};

struct horrible_block {
	unsigned char *bytes;
	size_t size;
	int fill;
	struct sm_cache *cache; /* it's an object of, or NULL */
};

static struct {
	struct horrible_block live[LIVE_MAX];
	size_t count;
	int fills;
	bool system_fails;
	size_t cost; /* bytes that are live */
	struct sm_cache *cache;
} twin;

/* Small ones mostly, and every way that a block can go. */
static size_t random_size(uint64_t *random)
{
	const size_t most[] = { 100,   100,   1000,   1000,    5000,
				33000, 33000, 100000, 1 << 20, 3 << 20 };
	size_t size = test_random(random) % most[test_random(random) % 10];

	return twin.cost + size > 40 * MIB ? size % 1000 : size;
}

static void expect_apart(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < twin.count; i++) {
		const struct horrible_block *other = &twin.live[i];

		EXPECT(bytes + size <= other->bytes ||
		       other->bytes + other->size <= bytes);
	}
}

/* A block that was handed out, or refused. */
static void note_alloc(unsigned char *bytes, size_t size,
		       struct sm_cache *cache)
{
	if (!bytes) {
		EXPECT(twin.system_fails);
		EXPECT_EQ(errno, ENOMEM);
		return;
	}
	EXPECT_EQ((uintptr_t)bytes % SM_ALIGN_MIN, 0);
	EXPECT(sm_usable_size(bytes) >= size);
	size = sm_usable_size(bytes);
	expect_apart(bytes, size);
	twin.fills = twin.fills % 255 + 1;
	memset(bytes, twin.fills, size);
	twin.live[twin.count++] = (struct horrible_block){
		bytes,
		size,
		twin.fills,
		cache,
	};
	twin.cost += size;
}

/* Forget a random block, whose content must be what was put there. */
static struct horrible_block forget_one(uint64_t *random)
{
	size_t index = test_random(random) % twin.count;
	struct horrible_block block = twin.live[index];

	EXPECT(is_filled(block.bytes, block.size, block.fill));
	twin.live[index] = twin.live[--twin.count];
	twin.cost -= block.size;
	return block;
}

static void alloc_plain(uint64_t *random)
{
	size_t size = random_size(random);

	note_alloc(sm_malloc(size), size, NULL);
}

static void alloc_zeroed(uint64_t *random)
{
	size_t size = random_size(random);
	unsigned char *bytes = sm_calloc(1, size);

	EXPECT(!bytes || is_filled(bytes, size, 0));
	note_alloc(bytes, size, NULL);
}

static void alloc_aligned(uint64_t *random)
{
	size_t size = random_size(random);
	size_t align = (size_t)1 << test_random(random) % 22;
	unsigned char *bytes = sm_aligned_alloc(align, size);

	EXPECT_EQ((uintptr_t)bytes % align, 0);
	note_alloc(bytes, size, NULL);
}

static void alloc_pages(uint64_t *random)
{
	size_t count = 1 + test_random(random) % 100;

	if (count > (size_t)1 << sm_pages_order_max())
		return;
	note_alloc(sm_pages_alloc_exact(count, 0), count * sm_page_size(),
		   NULL);
}

static void alloc_object(uint64_t *random)
{
	(void)random;
	note_alloc(sm_cache_alloc(twin.cache, 0), sm_cache_size(twin.cache),
		   twin.cache);
}

/* It may find nothing at any time, but makes no system call. */
static void alloc_at_once(uint64_t *random)
{
	size_t size = random_size(random), calls = os_call_count();
	unsigned char *bytes = sm_alloc(size, SM_NOWAIT | SM_ZERO);

	EXPECT_EQ(os_call_count(), calls);
	EXPECT(!bytes || is_filled(bytes, size, 0));
	if (bytes)
		note_alloc(bytes, size, NULL);
}

static void free_one(uint64_t *random)
{
	struct horrible_block block;

	if (twin.count == 0)
		return;
	block = forget_one(random);
	if (block.cache && test_random(random) % 2)
		sm_cache_free(block.cache, block.bytes);
	else
		sm_free(block.bytes);
}

static void resize_one(uint64_t *random)
{
	size_t size = 1 + random_size(random);
	struct horrible_block block;
	unsigned char *moved;

	if (twin.count == 0)
		return;
	block = forget_one(random);
	moved = sm_realloc(block.bytes, size);
	EXPECT(is_filled(moved ? moved : block.bytes,
			 moved ? min_size(size, block.size) : block.size,
			 block.fill));
	note_alloc(moved, size, NULL);
	if (!moved) {
		twin.live[twin.count++] = block;
		twin.cost += block.size;
	}
}

static void trim(uint64_t *random)
{
	if (test_random(random) % 10 == 0)
		sm_trim(test_random(random) % 2 ? 0 : MIB);
}

static void check_everything(void)
{
	struct sm_stats stats;

	page_check();
	vma_check();
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++)
		cache_check(cache_of_class(class, 0));
	sm_stats(&stats);
	EXPECT_EQ(stats.slab_objects + stats.runs + stats.mappings, twin.count);
	EXPECT_EQ(stats.free_pages + stats.slab_pages + stats.run_pages +
			  stats.meta_pages,
		  stats.committed / stats.page_size);
}

static void live_randomly(uint64_t seed)
{
	static void (*const filling[])(uint64_t *) = {
		alloc_plain, alloc_plain,  alloc_plain,	  alloc_zeroed,
		alloc_pages, alloc_object, alloc_aligned, alloc_at_once,
		resize_one,  resize_one,   free_one,	  free_one,
		free_one,    trim,
	};
	uint64_t random = seed;

	TEST_NOTE("seed %llu", (unsigned long long)seed);
	twin.cache = sm_cache_create("property", 700, 0, 0, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		/* The heap fills and empties in turns. */
		bool emptying = twin.count == LIVE_MAX || i / 300 % 3 == 2;
		void (*operate)(uint64_t *) =
			emptying && i % 2 ? free_one
					  : filling[test_random(&random) %
						    ARRAY_SIZE(filling)];

		if (twin.count == LIVE_MAX)
			operate = free_one;
		twin.system_fails = test_random(&random) % 8 == 0;
		os_fail_nth(twin.system_fails ? 1 + test_random(&random) % 3
					      : 0,
			    test_random(&random) % 2 ? 1 : SIZE_MAX);
		errno = 0;
		operate(&random);
		os_fail_nth(0, 0);
		check_everything();
	}
	while (twin.count > 0)
		free_one(&random);
	EXPECT_EQ(sm_cache_destroy(twin.cache), 0);
	check_everything();
}

TEST(heap_agrees_with_a_plain_list_of_blocks)
{
	for (uint64_t seed = 0; seed < 3; seed++)
		live_randomly(test_seed() + seed);
}
