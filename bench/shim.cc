// SPDX-License-Identifier: MIT
// The other side of shim.h.
#include "shim.h"

#include <benchmark/benchmark.h>

// The harness gives the number of iterations once: KeepRunningBatch() takes all
// of them, so that nothing of it runs between two operations.
int64_t bench_batch(struct bench *bench)
{
	auto *state = static_cast<benchmark::State *>(bench->state);

	return state->KeepRunningBatch(state->max_iterations)
		       ? static_cast<int64_t>(state->max_iterations)
		       : 0;
}

void bench_register(const char *name, bench_function function)
{
	benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
		struct bench bench = { &state, 0 };

		function(&bench);
		state.SetItemsProcessed(state.iterations());
	});
}

BENCHMARK_MAIN();
