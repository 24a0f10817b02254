/* SPDX-License-Identifier: MIT */
/* Per-CPU page lists: what they keep, hand out again, and give back. */
#include "page/pcp.h"

#include <sched.h>

#include "wake_page.h"

/* Stay on one CPU, or runs may turn up on the list of another. */
static void wake_on_one_cpu(size_t window)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	wake_pages(window);
}

static char *take(size_t count, enum page_use use)
{
	return pages_alloc(count, use == USE_SLAB ? count : 1, use, 0, NULL);
}

TEST(freed_run_is_handed_out_first)
{
	char *first, *second;

	wake_on_one_cpu(256 * MIB);
	first = take(3, USE_RUN);
	second = take(3, USE_RUN);
	pages_free(first);
	pages_free(second);
	EXPECT_EQ(pcp_pages(), 6);
	EXPECT_EQ(page_find(first)->type, PAGE_CACHED);
	EXPECT_EQ(take(3, USE_RUN), second);
	EXPECT_EQ(take(3, USE_RUN), first);
	EXPECT_EQ(pcp_pages(), 0);
	EXPECT_EQ(page_find(first)->type, PAGE_RUN);
	EXPECT_EQ(page_find(first)->count, 3);
}

TEST(kept_run_is_not_known_to_be_zero)
{
	bool is_zero = true;
	char *run;

	wake_on_one_cpu(256 * MIB);
	run = take(3, USE_RUN);
	pages_free(run);
	EXPECT_EQ(pages_alloc(3, 1, USE_RUN, 0, &is_zero), run);
	EXPECT(!is_zero);
}

TEST(lengths_and_uses_are_kept_apart)
{
	char *run, *slab;

	wake_on_one_cpu(256 * MIB);
	run = take(4, USE_RUN);
	slab = take(4, USE_SLAB);
	pages_free(run);
	pages_free(slab);
	EXPECT(take(3, USE_RUN) != run);
	EXPECT(take(5, USE_RUN) != run);
	EXPECT_EQ(take(4, USE_SLAB), slab);
	EXPECT_EQ(take(4, USE_RUN), run);
}

TEST(aligned_run_is_not_taken_from_the_lists)
{
	char *odd;

	wake_on_one_cpu(256 * MIB);
	do {
		odd = take(2, USE_RUN);
	} while ((uintptr_t)odd % (8 * os_page_bytes()) == 0);
	pages_free(odd);
	EXPECT(pages_alloc(2, 8, USE_RUN, 0, NULL) != odd);
	EXPECT_EQ(pcp_pages(), 2);
}

TEST(long_run_goes_straight_to_its_zone)
{
	char *run;

	wake_on_one_cpu(256 * MIB);
	if (pages_per_block() <= PCP_COUNT_MAX)
		SKIP("no run is so long");
	run = take(PCP_COUNT_MAX, USE_RUN);
	pages_free(run);
	EXPECT_EQ(pcp_pages(), PCP_COUNT_MAX);
	run = take(PCP_COUNT_MAX + 1, USE_RUN);
	pages_free(run);
	EXPECT_EQ(pcp_pages(), PCP_COUNT_MAX);
	EXPECT_EQ(page_find(run)->type, PAGE_NONE);
}

TEST(no_more_than_a_mebibyte_is_kept)
{
	enum {
		RUNS = 1200
	};
	char *runs[RUNS];

	wake_on_one_cpu(256 * MIB);
	for (int i = 0; i < RUNS; i++)
		runs[i] = take(1 + (size_t)i % 4, USE_RUN);
	for (int i = 0; i < RUNS; i++) {
		pages_free(runs[i]);
		EXPECT(pcp_pages() <= pages_of(MIB));
	}
	EXPECT(pcp_pages() >= pages_of(MIB / 2));
	page_check();
}

TEST(drain_gives_everything_back)
{
	struct page_stats stats;
	char *runs[40];

	wake_on_one_cpu(256 * MIB);
	for (int i = 0; i < 40; i++)
		runs[i] = take(1 + (size_t)i % 8 / 4, USE_RUN);
	for (int i = 0; i < 40; i++)
		pages_free(runs[i]);
	pcp_drain();
	EXPECT_EQ(pcp_pages(), 0);
	page_stats(&stats);
	EXPECT_EQ(stats.used[USE_RUN], 0);
	EXPECT_EQ(page_find(runs[0])->type, PAGE_NONE);
	page_check();
}

TEST(kept_runs_are_used_when_memory_is_short)
{
	size_t kept = 0;
	char *run, *chain = NULL;

	wake_on_one_cpu(256 * MIB);
	os_fail_nth(1, SIZE_MAX);
	while ((run = take(1, USE_RUN))) {
		*(char **)run = chain;
		chain = run;
	}
	for (; chain && kept < 16; kept++) {
		run = chain;
		chain = *(char **)run;
		pages_free(run);
	}
	EXPECT_EQ(pcp_pages(), kept);
	/* No list has runs of this length, but there are such pages. */
	EXPECT(pages_alloc(2, 1, USE_RUN, 0, NULL));
	EXPECT_EQ(pcp_pages(), 0);
}

TEST(another_holder_of_the_list_is_not_waited_for)
{
	/* More CPUs than there can be lists for: as if all were held. */
	const struct page_options options = { .window = 256 * MIB,
					      .retain = 64 * MIB,
					      .cpus = 1 << 20 };
	char *run;

	wake_os();
	EXPECT(page_init(&options));
	run = take(1, USE_RUN);
	pages_free(run);
	EXPECT_EQ(pcp_pages(), 0);
	EXPECT_EQ(page_find(run)->type, PAGE_NONE);
	page_check();
}
