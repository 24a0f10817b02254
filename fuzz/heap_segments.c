/* SPDX-License-Identifier: MIT */
/* Fuzz the heaps of a program: the break, and the blocks above it. */
#include "fuzz_heap.h"

#include <errno.h>

#include "heap/break.h"

enum {
	HEAPS = 2,
	LIMIT_BITS = 20,
	OVERHEAD_MAX = 64, /* bytes that a block may need beyond its own */
};

static struct own_heap {
	struct sm_heap *heap; /* NULL: none */
	char *start;
	size_t limit;
	size_t size;	 /* of the program's own part, below its break */
	bool has_blocks; /* it has had: the break isn't the program's */
} heaps[HEAPS];

static struct own_heap *any_heap(struct input *input)
{
	return &heaps[input_below(input, HEAPS)];
}

static void create_heap(struct own_heap *own, struct input *input)
{
	size_t limit = 1 + input_size(input, LIMIT_BITS);
	struct sm_heap *heap = sm_heap_create(limit);

	if (!heap) {
		FUZZ_EXPECT(errno == ENOMEM);
		fuzz_forgive();
		heap = sm_heap_create(limit);
		FUZZ_EXPECT(heap);
	}
	fuzz_trace("create a heap of %zu bytes", limit);
	*own = (struct own_heap){
		.heap = heap,
		.start = sm_heap_sbrk(heap, 0),
		.limit = limit,
	};
}

static void forget_blocks(struct own_heap *own)
{
	struct shadow_block *block;

	while ((block = shadow_pick(0, KIND_HEAP_BLOCK, own->heap)) ||
	       (block = shadow_pick(0, KIND_BREAK, own->heap)))
		shadow_remove(block);
	own->size = 0;
	own->has_blocks = false;
}

static void destroy_heap(struct own_heap *own)
{
	fuzz_trace("destroy a heap");
	forget_blocks(own);
	/* Its addresses would be lost, as the system may refuse to unmap. */
	fuzz_end_faults();
	sm_heap_destroy(own->heap);
	own->heap = NULL;
}

void create_or_destroy_heap(struct input *input)
{
	struct own_heap *own = any_heap(input);

	if (own->heap)
		destroy_heap(own);
	else
		create_heap(own, input);
}

/* The break has moved to @size: what it has passed upwards is zero. */
static void follow_break(struct own_heap *own, size_t size)
{
	struct shadow_block *block = shadow_pick(0, KIND_BREAK, own->heap);

	if (size > own->size)
		shadow_expect_zero(own->start + own->size, size - own->size);
	if (block)
		shadow_move(block, own->start, size, min_size(size, own->size));
	else
		shadow_add(own->start, size, KIND_BREAK, own->heap);
	own->size = size;
}

static bool try_break(struct own_heap *own, size_t size, bool by_address)
{
	if (by_address)
		return sm_heap_brk(own->heap, own->start + size) == 0;
	return sm_heap_sbrk(own->heap, (intptr_t)(size - own->size)) ==
	       own->start + own->size;
}

static void set_break(struct own_heap *own, size_t size, bool by_address)
{
	bool may_fail = size > own->limit || own->has_blocks;
	bool ok = try_break(own, size, by_address);

	fuzz_trace("break from %zu to %zu: %d", own->size, size, ok);
	if (!ok && !may_fail) {
		FUZZ_EXPECT(errno == ENOMEM && size > own->size);
		fuzz_forgive();
		ok = try_break(own, size, by_address);
		FUZZ_EXPECT(ok);
	}
	if (!ok) {
		FUZZ_EXPECT(errno == (own->has_blocks ? EBUSY : ENOMEM));
		return;
	}
	FUZZ_EXPECT(!may_fail);
	follow_break(own, size);
}

void move_break(struct input *input)
{
	struct own_heap *own = any_heap(input);
	size_t size = input_size(input, LIMIT_BITS);
	bool by_address = input_bit(input);

	/* An increment of zero asks, and never fails. */
	if (own->heap && size != own->size)
		set_break(own, size, by_address);
}

/* A block of @size bytes fits even if no free one does. */
static bool fits_above_break(struct own_heap *own, size_t size)
{
	struct sm_heap_stats stats;

	sm_heap_stats(own->heap, &stats);
	return stats.size + size + OVERHEAD_MAX <= own->limit;
}

static void accept_heap_block(struct own_heap *own, void *block, size_t size,
			      unsigned int flags)
{
	FUZZ_EXPECT((uintptr_t)block % 16 == 0);
	if (flags & SM_ZERO)
		shadow_expect_zero(block, size);
	shadow_add(block, size, KIND_HEAP_BLOCK, own->heap);
	own->has_blocks = true;
}

void alloc_from_heap(struct input *input)
{
	struct own_heap *own = any_heap(input);
	size_t size = input_size(input, input_seldom(input, 4) ? 18 : 10);
	unsigned int flags = any_flags(input);
	size_t calls = os_call_count();
	void *block;

	if (!own->heap || !shadow_has_room(1, size))
		return;
	if (!fits_above_break(own, size))
		flags &= ~(unsigned int)SM_NOFAIL;
	fuzz_trace("%zu bytes of a heap, flags %u", size, flags);
	block = sm_heap_alloc(own->heap, size, flags);
	if (!block && !fits_above_break(own, size))
		FUZZ_EXPECT(errno == ENOMEM);
	else if (!accept_result(block, flags, calls))
		block = sm_heap_alloc(own->heap, size, flags);
	if (block)
		accept_heap_block(own, block, size, flags);
	else
		FUZZ_EXPECT(flags & SM_NOWAIT || !fits_above_break(own, size));
}

void free_to_heap(struct input *input)
{
	struct own_heap *own = any_heap(input);
	struct shadow_block *block;
	void *start;

	if (!own->heap)
		return;
	block = shadow_pick(input_byte(input), KIND_HEAP_BLOCK, own->heap);
	if (!block)
		return;
	start = block->start;
	fuzz_trace("free %zu bytes of a heap", block->bytes);
	shadow_remove(block);
	errno = EDOM;
	sm_heap_free(own->heap, start);
	FUZZ_EXPECT(errno == EDOM);
}

void reset_heap(struct input *input)
{
	struct own_heap *own = any_heap(input);

	if (!own->heap)
		return;
	fuzz_trace("reset a heap");
	forget_blocks(own);
	sm_heap_reset(own->heap);
	FUZZ_EXPECT(sm_heap_sbrk(own->heap, 0) == own->start);
}

static void check_own_heap(const struct own_heap *own)
{
	struct sm_heap_stats stats;

	sm_heap_stats(own->heap, &stats);
	FUZZ_EXPECT(stats.blocks == shadow_count(KIND_HEAP_BLOCK, own->heap));
	FUZZ_EXPECT(stats.limit == own->limit);
	FUZZ_EXPECT(own->has_blocks || stats.size == own->size);
	break_enter_always(own->heap);
	heap_check(own->heap);
	break_leave(own->heap);
}

void check_heaps(void)
{
	for (int i = 0; i < HEAPS; i++) {
		if (heaps[i].heap)
			check_own_heap(&heaps[i]);
	}
}

void free_all_heaps(void)
{
	for (int i = 0; i < HEAPS; i++) {
		if (heaps[i].heap)
			destroy_heap(&heaps[i]);
	}
}
