/* SPDX-License-Identifier: MIT */
/* Long random lifetimes while the sizes asked for shift: what stays held? */
#include "draw.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/*
 * A store of records that holds so many live bytes. Each step one record dies,
 * picked at random, and others are born until the store is full again, so
 * lifetimes are exponential. Most records are short-lived; some live ten times
 * as long, and a few for ever. From phase to phase the sizes of new records
 * change, and how much the store holds: that moves evenly to its new value
 * over the first third of the phase, so old records die off while new ones
 * come. Every phase has the same number of points on the curve, so each weighs
 * the same in its mean. At each the program rests for a moment, as one does
 * that waits for others: allocators that give back by the clock shall not
 * depend on how fast the machine is.
 */
enum {
	PHASES_MAX = 8,
	POINTS = 34,	    /* of a phase */
	REST_NS = 10000000, /* at each */
	LONG_LIFE = 10,	    /* times a short one */
	LONG_PER_10K = 100, /* of those born */
	FOREVER_PER_10K = 2,
	RECORDS_MAX = 1500000,
	MIB = 1 << 20,
};

static const struct mix mix_small = { {
	{ 350, 16, 32 },
	{ 400, 33, 64 },
	{ 250, 65, 128 },
} };

static const struct mix mix_large = { {
	{ 400, 1025, 2048 },
	{ 300, 2049, 4096 },
	{ 200, 4097, 8192 },
	{ 100, 8193, 16384 },
} };

struct phase {
	const struct mix *mix;
	size_t live_bytes;
	size_t steps;
};

/* A course ends at its first phase without steps. */
static const struct course {
	const char *name;
	struct phase phases[PHASES_MAX];
} courses[] = {
	/* Survivors of the usual mix are strewn over the pages of all. */
	{ "shifting",
	  { { &mix_usual, 64 * MIB, 2000000 },
	    { &mix_small, 12 * MIB, 2000000 },
	    { &mix_small, 64 * MIB, 3000000 },
	    { &mix_large, 64 * MIB, 2000000 },
	    { &mix_usual, 64 * MIB, 2000000 },
	    { &mix_usual, 24 * MIB, 1000000 } } },
	{ "usual", { { &mix_usual, 64 * MIB, 3000000 } } },
	{ "small", { { &mix_small, 32 * MIB, 4000000 } } },
	{ "large", { { &mix_large, 64 * MIB, 1500000 } } },
};

struct record {
	void *block;
	size_t bytes;
};

struct herd {
	struct record *records;
	size_t count;
};

static struct {
	struct herd short_lived, long_lived;
	size_t bytes;
	uint64_t random;
} store = { .random = BENCH_SEED };

static void bear(const struct mix *mix)
{
	size_t bytes = draw_size(&store.random, mix);
	uint32_t fate = bench_below(&store.random, 10000);
	struct herd *herd = &store.short_lived;
	void *block = touched(bytes);

	store.bytes += bytes;
	if (fate < FOREVER_PER_10K)
		return;
	if (fate < FOREVER_PER_10K + LONG_PER_10K)
		herd = &store.long_lived;
	herd->records[herd->count++] = (struct record){ block, bytes };
}

/* Let one die, all of a herd alike, long-lived ones more rarely. */
static void bury(void)
{
	uint32_t chances = (uint32_t)store.short_lived.count * LONG_LIFE;
	uint32_t others = (uint32_t)store.long_lived.count;
	uint32_t pick = bench_below(&store.random, chances + others);
	bool is_short = pick < chances;
	struct herd *herd = is_short ? &store.short_lived : &store.long_lived;
	struct record *record =
		&herd->records[is_short ? pick / LONG_LIFE : pick - chances];

	free(record->block);
	store.bytes -= record->bytes;
	*record = herd->records[--herd->count];
}

static void step(const struct mix *mix, size_t live_bytes)
{
	if (store.short_lived.count)
		bury();
	while (store.bytes < live_bytes)
		bear(mix);
}

static void run(const struct phase *phase)
{
	size_t steps = phase->steps / POINTS;
	size_t shift = steps * (POINTS / 3);
	size_t before = store.bytes, done = 0;

	for (size_t point = 0; point < POINTS; point++) {
		for (size_t i = 0; i < steps; i++, done++) {
			size_t moved = done < shift ? done : shift;

			step(phase->mix, (before * (shift - moved) +
					  phase->live_bytes * moved) /
						 shift);
		}
		curve_point(store.bytes);
		sleep_ns(REST_NS);
	}
}

static const struct course *find_course(const char *name)
{
	for (size_t i = 0; i < sizeof(courses) / sizeof(*courses); i++) {
		if (strcmp(courses[i].name, name) == 0)
			return &courses[i];
	}
	die("usage: memory_fragmentation shifting|usual|small|large");
}

int main(int argc, char **argv)
{
	const struct course *course = find_course(argc > 1 ? argv[1] : "");
	const struct phase *phase = course->phases;
	size_t steps = 0;
	uint64_t start;

	store.short_lived.records =
		own_table(RECORDS_MAX * sizeof(struct record));
	store.long_lived.records =
		own_table(RECORDS_MAX / 2 * sizeof(struct record));
	start = cpu_ns();
	for (; phase->steps; phase++) {
		run(phase);
		steps += phase->steps;
	}
	report((double)(cpu_ns() - start) / (double)steps, NULL, 0);
	return 0;
}
