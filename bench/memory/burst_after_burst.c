/* SPDX-License-Identifier: MIT */
/* Bursts one after the other: what does it cost to give memory back? */
#include "burst.h"

#include <string.h>

/*
 * An allocator that returns memory between bursts pays for every page again.
 * What counts is the time of the bursts after the first, for which nobody has
 * any memory yet; that of the light work in the gaps is told beside it.
 */
enum {
	BURST_BYTES = 64 << 20
};

static const struct pace {
	const char *name;
	unsigned int more; /* bursts after the first */
	unsigned int gap_ms;
} paces[] = {
	{ "close", 19, 20 },
	{ "apart", 2, 1100 },
};

static const struct pace *find_pace(const char *name)
{
	for (size_t i = 0; i < sizeof(paces) / sizeof(*paces); i++) {
		if (strcmp(paces[i].name, name) == 0)
			return &paces[i];
	}
	die("usage: memory_burst_after_burst close|apart");
}

/* Allocate and free one; what that cost, in ns. */
static uint64_t run_burst(struct burst *burst)
{
	uint64_t start = cpu_ns();

	burst_allocate(burst);
	curve_point(burst->bytes);
	burst_free(burst);
	return cpu_ns() - start;
}

int main(int argc, char **argv)
{
	const struct pace *pace = find_pace(argc > 1 ? argv[1] : "");
	static struct light light = { .random = BENCH_SEED };
	uint64_t random = BENCH_SEED, start, bursts_ns = 0, gaps_ns = 0;
	struct burst burst = burst_plan(&random, &mix_usual, BURST_BYTES);

	run_burst(&burst);
	for (unsigned int i = 0; i < pace->more; i++) {
		start = cpu_ns();
		light_work(&light, pace->gap_ms);
		gaps_ns += cpu_ns() - start;
		bursts_ns += run_burst(&burst);
	}
	report((double)bursts_ns / pace->more,
	       &(struct figure){ "gap_ns", (double)gaps_ns / pace->more }, 1);
	return 0;
}
