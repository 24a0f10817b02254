/* SPDX-License-Identifier: MIT */
/* The segments of a program's own heaps: reserve, move the break, give back. */
#include "heap/break.h"

#include <errno.h>
#include <string.h>

#include "heap/heap.h"

enum {
	LIMIT_DEFAULT = 1 << 30,
	/* Memory is committed in steps of a quarter of what there is, so that
	 * system calls grow with the logarithm of the size. */
	STEP_SHIFT = 2,
	STEP_MIN = 64 << 10,
	STEP_MAX = 4 << 20,
};

bool break_enter(struct sm_heap *heap, bool wait)
{
	if (!gate_enter(wait ? GATE_LONG : GATE_NOW))
		return false;
	if (lock_acquire_if(&heap->lock, wait))
		return true;
	gate_leave();
	return false;
}

void break_leave(struct sm_heap *heap)
{
	lock_release(&heap->lock);
	gate_leave();
}

/* A fork that takes long is waited for again. */
static void enter_gate(const void *heap)
{
	while (!gate_enter(GATE_LONG)) {
		if (gate_is_inside())
			panic("a heap is used in a signal handler", heap);
	}
}

void break_enter_always(struct sm_heap *heap)
{
	enter_gate(heap);
	lock_acquire(&heap->lock);
}

static bool commit_bytes(struct sm_heap *heap, size_t bytes)
{
	if (os_commit(heap->start + heap->committed, bytes) < 0)
		return false;
	heap->committed += bytes;
	return true;
}

/* Make memory usable up to @size, and a step more if that can be had. */
static bool commit_up_to(struct sm_heap *heap, size_t size)
{
	size_t page = os_page_bytes();
	size_t need = round_up(size, page) - heap->committed;
	size_t step = clamp_size(size >> STEP_SHIFT, STEP_MIN, STEP_MAX);
	size_t room = heap->reserved - heap->committed;
	size_t more = min_size(need + round_up(step, page), room);

	return commit_bytes(heap, more) ||
	       (more > need && commit_bytes(heap, need));
}

/* Give back the memory above the break, if any of it has been touched. */
static void give_back_tail(struct sm_heap *heap)
{
	size_t page = os_page_bytes();
	size_t keep = round_up(break_size(heap), page);
	char *tail = heap->start + keep;

	if (heap->dirty <= keep)
		return;
	if (os_decommit(tail, heap->committed - keep) == 0)
		heap->committed = keep;
	else if (!os_discard(tail, round_up(heap->dirty - keep, page)))
		return;
	heap->dirty = keep;
}

static bool grow_break(struct sm_heap *heap, size_t size, bool wait)
{
	size_t old = break_size(heap);

	if (size > heap->limit)
		return false;
	if (size > heap->committed && (!wait || !commit_up_to(heap, size)))
		return false;
	memset(heap->start + old, 0, min_size(size, heap->dirty) - old);
	heap->dirty = max_size(heap->dirty, size);
	atomic_store_explicit(&heap->size, size, memory_order_relaxed);
	return true;
}

bool break_set_locked(struct sm_heap *heap, size_t size, bool wait)
{
	CHECK(lock_is_held(&heap->lock));
	if (size > break_size(heap))
		return grow_break(heap, size, wait);
	atomic_store_explicit(&heap->size, size, memory_order_relaxed);
	if (wait)
		give_back_tail(heap);
	return true;
}

static struct sm_heap *create_heap(size_t limit)
{
	size_t reserved = round_up(limit, os_page_bytes());
	struct sm_heap *heap = meta_alloc(sizeof(*heap), 0);

	if (!heap)
		return NULL;

	heap->start = os_reserve(reserved, os_page_bytes());
	if (!heap->start)
		goto free_heap;

	lock_init(&heap->lock, RANK_HEAP);
	list_init(&heap->free);
	heap->limit = limit;
	heap->reserved = reserved;
	return heap;

free_heap:
	meta_free(heap, sizeof(*heap));
	return NULL;
}

struct sm_heap *sm_heap_create(size_t limit)
{
	size_t wanted = limit ? limit : LIMIT_DEFAULT;
	struct sm_heap *heap = NULL;

	if (wanted >> HEAP_LIMIT_SHIFT == 0 && heap_ready() &&
	    gate_enter(GATE_LONG)) {
		heap = create_heap(wanted);
		gate_leave();
	}
	if (!heap)
		errno = ENOMEM;
	return heap;
}

/* 0, or the errno of why the program may not move the break to @size. */
static int move_break(struct sm_heap *heap, size_t size)
{
	if (heap->first)
		return EBUSY;
	return break_set_locked(heap, size, true) ? 0 : ENOMEM;
}

int sm_heap_brk(struct sm_heap *heap, void *address)
{
	/* An address below the start wraps to a size far above the limit. */
	size_t size = (uintptr_t)address - (uintptr_t)heap->start;
	int error = ENOMEM;

	if (break_enter(heap, true)) {
		error = move_break(heap, size);
		break_leave(heap);
	}
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

void *sm_heap_sbrk(struct sm_heap *heap, intptr_t increment)
{
	size_t old = break_size(heap);
	int error = ENOMEM;

	if (increment == 0)
		return heap->start + old;
	if (break_enter(heap, true)) {
		old = break_size(heap);
		error = move_break(heap, old + (size_t)increment);
		break_leave(heap);
	}
	if (error == 0)
		return heap->start + old;
	errno = error;
	return (void *)-1;
}

static void forget_blocks(struct sm_heap *heap)
{
	atomic_store(&heap->deferred, NULL);
	list_init(&heap->free);
	heap->first = 0;
	heap->used = 0;
	heap->blocks = 0;
	heap->free_blocks = 0;
}

void sm_heap_reset(struct sm_heap *heap)
{
	break_enter_always(heap);
	forget_blocks(heap);
	break_set_locked(heap, 0, true);
	break_leave(heap);
}

void sm_heap_destroy(struct sm_heap *heap)
{
	if (!heap)
		return;
	enter_gate(heap);
	/* The system refuses if it would need one more mapping than it allows:
	 * it may have merged the segment with a neighbour. */
	if (os_unmap(heap->start, heap->reserved) < 0)
		os_discard(heap->start, heap->committed);
	meta_free(heap, sizeof(*heap));
	gate_leave();
}

void sm_heap_stats(struct sm_heap *heap, struct sm_heap_stats *stats)
{
	break_enter_always(heap);
	stats->limit = heap->limit;
	stats->size = break_size(heap);
	stats->used = heap->used;
	stats->blocks = heap->blocks;
	stats->free_blocks = heap->free_blocks;
	break_leave(heap);
}
