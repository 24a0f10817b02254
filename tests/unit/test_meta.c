/* SPDX-License-Identifier: MIT */
/* Memory for the allocator's own structures. */
#include "page/meta.h"

#include <slubmalloc/flags.h>

#include "wake_page.h"

static size_t meta_pages(void)
{
	struct page_stats stats;

	page_check();
	page_stats(&stats);
	return stats.used[USE_META];
}

TEST(structures_are_zeroed_aligned_and_apart)
{
	unsigned char *objects[200];

	wake_pages(256 * MIB);
	for (size_t i = 0; i < 200; i++) {
		size_t bytes = 1 + i * 37;

		objects[i] = meta_alloc(bytes, 0);
		EXPECT_EQ((uintptr_t)objects[i] % CACHE_LINE_BYTES, 0);
		EXPECT(is_filled(objects[i], bytes, 0));
		memset(objects[i], (int)i, bytes);
	}
	for (size_t i = 0; i < 200; i++)
		EXPECT(is_filled(objects[i], 1 + i * 37, (int)i));
}

TEST(freed_structure_is_used_again_and_zeroed_again)
{
	char *object;

	wake_pages(256 * MIB);
	for (size_t bytes = 1; bytes <= META_BYTES_MAX; bytes += 61) {
		object = meta_alloc(bytes, 0);
		memset(object, 0xa5, bytes);
		meta_free(object, bytes);
		EXPECT_EQ(meta_alloc(bytes, 0), object);
		EXPECT(is_filled(object, bytes, 0));
	}
}

TEST(no_byte_of_a_chunk_is_lost)
{
	enum {
		OBJECTS = 4096
	};
	size_t before, chunk;

	wake_pages(256 * MIB);
	chunk = max_size(64 * KIB, os_page_bytes());
	meta_alloc(64, 0);
	before = meta_pages();
	/* Three of these fill most of a chunk; the rest serves small ones. */
	for (int i = 0; i < 80; i++)
		meta_alloc(META_BYTES_MAX - 64, 0);
	for (int i = 0; i < OBJECTS; i++)
		meta_alloc(64, 0);
	EXPECT(meta_pages() - before <=
	       pages_of(80 * META_BYTES_MAX + OBJECTS * 64 + 2 * chunk));
}

TEST(nowait_makes_no_system_call_and_waits_for_nobody)
{
	size_t calls, taken = 0;

	wake_pages(256 * MIB);
	calls = os_call_count();
	while (meta_alloc(META_BYTES_MAX, SM_NOWAIT))
		taken++;
	EXPECT_EQ(os_call_count(), calls);
	EXPECT(taken > 0);
	EXPECT(meta_alloc(META_BYTES_MAX, 0));
	EXPECT(meta_alloc(64, SM_NOWAIT));
	page_check();
}

static void use_and_recover(void)
{
	void *object, *first = NULL;

	for (int i = 0; i < 400; i++) {
		object = meta_alloc(META_BYTES_MAX, 0);
		first = first ? first : object;
	}
	os_fail_nth(0, 0);
	page_check();
	if (first)
		meta_free(first, META_BYTES_MAX);
	EXPECT(meta_alloc(META_BYTES_MAX, 0));
	page_check();
}

TEST(out_of_memory_is_null_and_passes)
{
	wake_pages(WINDOW_MIN);
	fail_each_call(use_and_recover);
}
