// SPDX-License-Identifier: MIT
// The other side of shim.h.
#include "shim.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

static struct bench_rows *all_rows;

void bench_register(struct bench_rows *rows)
{
	rows->next = all_rows;
	all_rows = rows;
}

// The number is given once: KeepRunningBatch() takes all of them, so that
// nothing of the harness runs between two operations.
int64_t bench_batch(struct bench *bench)
{
	auto *state = static_cast<benchmark::State *>(bench->state);

	return state->KeepRunningBatch(state->max_iterations)
		       ? static_cast<int64_t>(state->max_iterations)
		       : 0;
}

// What the process occupies, in KiB, told without a use of malloc; 0 if the
// system doesn't say.
static double resident_kib()
{
	char line[128] = "";
	unsigned long pages = 0;
	int file = open("/proc/self/statm", O_RDONLY);

	if (file < 0)
		return 0;
	if (read(file, line, sizeof(line) - 1) < 0 ||
	    sscanf(line, "%*u %lu", &pages) != 1)
		pages = 0;
	close(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024.0);
}

static void run_row(const struct bench_row *row, benchmark::State &state)
{
	struct bench bench = { &state, 0, row->argument };

	row->function(&bench);
	state.counters["after_kib"] = resident_kib();
}

// The N of --operations=N, which is taken out of the arguments; 0 if there is
// none.
static int64_t take_operations(int *argc, char **argv)
{
	int64_t operations = 0;
	int kept = 0;

	for (int i = 0; i < *argc; i++)
		if (sscanf(argv[i], "--operations=%" SCNd64, &operations) != 1)
			argv[kept++] = argv[i];
	*argc = kept;
	return operations;
}

static void add_row(const struct bench_row *row, int64_t operations)
{
	benchmark::RegisterBenchmark(
		row->name,
		[=](benchmark::State &state) { run_row(row, state); })
		->Iterations(operations > 0 ? operations : row->operations)
		->MeasureProcessCPUTime()
		->UseRealTime();
}

int main(int argc, char **argv)
{
	int64_t operations = take_operations(&argc, argv);

	for (auto *rows = all_rows; rows; rows = rows->next)
		for (size_t i = 0; i < rows->count; i++)
			add_row(&rows->rows[i], operations);
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 1;
	return benchmark::RunSpecifiedBenchmarks() == 0;
}
