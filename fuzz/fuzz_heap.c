/* SPDX-License-Identifier: MIT */
/* Fuzz the whole allocator by its public functions. */
#include "fuzz_heap.h"

#include <errno.h>

static bool has_interrupted; /* in this input */

bool begin_interrupt(struct input *input)
{
	if (!input_seldom(input, 16))
		return false;
	fuzz_trace("in a signal handler:");
	FUZZ_EXPECT(gate_enter(GATE_BRIEFLY));
	has_interrupted = true;
	return true;
}

void end_interrupt(bool is_interrupt)
{
	if (is_interrupt)
		gate_leave();
}

bool has_been_interrupted(void)
{
	return has_interrupted;
}

unsigned int any_flags(struct input *input)
{
	static const unsigned int flags[] = {
		0,
		0,
		SM_ZERO,
		SM_ZERO,
		SM_NOFAIL,
		SM_NOWAIT,
		SM_NOFAIL | SM_ZERO,
		SM_NOWAIT | SM_ZERO,
	};

	return flags[input_below(input, ARRAY_SIZE(flags))];
}

bool accept_result(const void *result, unsigned int flags, size_t calls)
{
	if (flags & SM_NOWAIT) {
		FUZZ_EXPECT(os_call_count() == calls);
		FUZZ_EXPECT(result || errno == ENOMEM);
		return true;
	}
	if (result)
		return true;
	FUZZ_EXPECT(!(flags & SM_NOFAIL));
	FUZZ_EXPECT(errno == ENOMEM);
	fuzz_forgive();
	return false;
}

/* For SM_NOFAIL: memory is out because system calls fail. */
static int end_shortage(size_t size)
{
	fuzz_trace("no memory for %zu bytes that may not fail", size);
	fuzz_forgive();
	return 0;
}

static void start(void)
{
	FUZZ_EXPECT(heap_ready());
	sm_set_nofail(end_shortage);
}

static void trim(struct input *input)
{
	size_t keep = input_bit(input) ? input_size(input, 25) : 0;

	fuzz_trace("trim, keeping %zu bytes", keep);
	sm_trim(keep);
}

/* What the layers should have counted. */
struct census {
	size_t objects;
	size_t runs;
	size_t mappings;
};

static void count_block(const struct shadow_block *block, struct census *census)
{
	if (block->kind == KIND_BREAK || block->kind == KIND_HEAP_BLOCK)
		return;
	if (page_class(block->start))
		census->objects++;
	else if (page_find(block->start))
		census->runs++;
	else
		census->mappings++;
}

static void check_counters(void)
{
	const struct shadow_block *block;
	struct census census = { 0 };
	struct sm_stats stats;

	for (size_t i = 0; (block = shadow_at(i)); i++)
		count_block(block, &census);
	sm_stats(&stats);
	FUZZ_EXPECT(stats.slab_objects == census.objects);
	FUZZ_EXPECT(stats.runs == census.runs);
	FUZZ_EXPECT(stats.mappings == census.mappings);
}

static void check(void)
{
	FUZZ_EXPECT(gate_enter(GATE_BRIEFLY));
	page_check();
	vma_check();
	gate_leave();
	check_caches();
	check_heaps();
	if (!has_interrupted)
		check_counters();
}

static void finish(void)
{
	struct sm_stats stats;

	free_all_blocks();
	free_all_objects();
	free_all_heaps();
	sm_trim(0);
	sm_stats(&stats);
	FUZZ_EXPECT(stats.slabs == 0 && stats.slab_objects == 0);
	FUZZ_EXPECT(stats.runs == 0);
	FUZZ_EXPECT(stats.mappings == 0 && stats.mappings_cached == 0);
	FUZZ_EXPECT(gate_enter(GATE_BRIEFLY));
	/* Emergency memory stays for the next emergency. */
	fuzz_expect_no_leak(has_interrupted);
	gate_leave();
	has_interrupted = false;
}

static const fuzz_operation operations[] = {
	alloc_block,   alloc_block,  alloc_block,
	realloc_block, free_block,   free_block,
	alloc_block,   alloc_block,  realloc_block,
	realloc_block, free_block,   free_block,
	alloc_pages,   free_pages,   refuse_nonsense,
	alloc_objects, free_objects, create_or_destroy_cache,
	alloc_bulk,    free_bulk,    shrink_cache,
	move_break,    move_break,   create_or_destroy_heap,
	free_to_heap,  free_to_heap, alloc_from_heap,
	reset_heap,    trim,	     alloc_from_heap,
};

const struct fuzzer fuzzer = {
	.start = start,
	.operations = operations,
	.nr_operations = ARRAY_SIZE(operations),
	.check = check,
	.finish = finish,
};
