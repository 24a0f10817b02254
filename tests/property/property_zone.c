/* SPDX-License-Identifier: MIT */
/* Runs of pages from zones against a list of what is live. */
#include "wake_page.h"

enum {
	LIVE_MAX = 400,
	STEPS = 4000
};

struct run {
	unsigned char *start;
	size_t count;
	unsigned char fill;
};

static struct run runs[LIVE_MAX];
static size_t live, live_pages;

/* The first and the last byte of every page. */
static void stamp(const struct run *run, size_t first)
{
	for (size_t i = first; i < run->count; i++) {
		run->start[i << os_page_shift] = run->fill;
		run->start[((i + 1) << os_page_shift) - 1] = run->fill;
	}
}

static bool is_stamped(const struct run *run, size_t count, int fill)
{
	for (size_t i = 0; i < count; i++) {
		if (run->start[i << os_page_shift] != fill ||
		    run->start[((i + 1) << os_page_shift) - 1] != fill)
			return false;
	}
	return true;
}

static void expect_apart(const struct run *run)
{
	unsigned char *end = run->start + (run->count << os_page_shift);

	for (size_t i = 0; i < live; i++)
		EXPECT(run == &runs[i] || end <= runs[i].start ||
		       runs[i].start + (runs[i].count << os_page_shift) <=
			       run->start);
}

static void take(uint64_t *random)
{
	struct run *run = &runs[live];
	size_t align = (size_t)1 << test_random(random) % 4;
	bool is_zero;

	if (live == LIVE_MAX)
		return;
	run->count = 1 + test_random(random) % (pages_per_block() / 4);
	run->fill = (unsigned char)(1 + test_random(random) % 255);
	run->start = pages_alloc(run->count, align, USE_RUN, 0, &is_zero);
	EXPECT(run->start);
	EXPECT_EQ((uintptr_t)run->start % (align << os_page_shift), 0);
	EXPECT(!is_zero || is_stamped(run, run->count, 0));
	expect_apart(run);
	stamp(run, 0);
	live++;
	live_pages += run->count;
}

static void give(uint64_t *random)
{
	size_t i = live ? test_random(random) % live : 0;

	if (live == 0)
		return;
	EXPECT(is_stamped(&runs[i], runs[i].count, runs[i].fill));
	live_pages -= runs[i].count;
	pages_free(runs[i].start);
	runs[i] = runs[--live];
}

static void resize(uint64_t *random)
{
	struct run *run = &runs[live ? test_random(random) % live : 0];
	size_t old = run->count;
	size_t count = 1 + test_random(random) % (pages_per_block() / 2);

	if (live == 0 || !pages_resize(run->start, count))
		return;
	run->count = count;
	live_pages += count - old;
	expect_apart(run);
	EXPECT(is_stamped(run, old < count ? old : count, run->fill));
	if (count > old)
		stamp(run, old);
}

static void trim(uint64_t *random)
{
	if (test_random(random) % 30 == 0)
		pages_trim(test_random(random) % (1 << 22));
}

static void compare(void)
{
	struct page_stats stats;

	page_check();
	page_stats(&stats);
	EXPECT_EQ(stats.used[USE_RUN], live_pages + stats.cached);
}

static void live_randomly(uint64_t seed)
{
	static void (*const operations[])(uint64_t *) = {
		take, take, take, give, give, resize, resize, trim,
	};
	uint64_t random = seed;

	for (int step = 0; step < STEPS; step++) {
		operations[test_random(&random) % ARRAY_SIZE(operations)](
			&random);
		compare();
	}
	while (live > 0)
		give(&random);
	pages_trim(0);
	compare();
}

TEST(runs_agree_with_a_plain_list)
{
	wake_pages((size_t)1 << 32);
	live_randomly(test_seed());
}

/* Too small a window for all of it: further zones are made. */
TEST(runs_in_several_zones_agree_with_a_plain_list)
{
	struct page_stats stats;

	wake_pages(WINDOW_MIN);
	live_randomly(test_seed() + 1);
	page_stats(&stats);
	EXPECT(stats.zones > 1);
}

TEST(runs_agree_while_free_memory_goes_back)
{
	wake_pages((size_t)1 << 32);
	pages_set_retain(1 << 20);
	live_randomly(test_seed() + 2);
}
