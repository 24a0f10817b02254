/* SPDX-License-Identifier: MIT */
/* A first-fit allocator below the break of a heap, with the least footprint. */
/*
 * Blocks
 *
 *	used:	tag | the program's bytes, size - 8 of them           |
 *	free:	tag | links of the free list | any bytes | foot: size |
 *
 * The blocks lie side by side from @first up to the end mark, the tag of a used
 * block of size zero in the last word below the break. A tag is one word: the
 * size, whether the block is used, whether the block before it is used, and 16
 * check bits made from these, the address and the heap. So an allocation costs
 * one word (Knuth's boundary tags, the upper one given to the program while the
 * block is used), and a wild pointer, a block of another heap, a second free
 * and a write past a block are found.
 *
 * A block that is merged into the one before it leaves its tag behind, marked
 * free, for a second free to find.
 *
 * Free list
 *
 * It is in the order of addresses, and a block comes from the first that is
 * large enough, cut at its lower end. Of the simple policies this is the one
 * that fragments least (Wilson, Johnstone, Neely, Boles: "Dynamic storage
 * allocation, a survey and critical review", 1995): blocks gather at the bottom
 * and the top becomes free, so that the break can come down. Its price, a
 *search for the place of a freed block, is paid only if neither neighbour is
 *free.
 */
#include "heap/break.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "heap/heap.h"

enum {
	UNIT = 16,
	USED = 1,
	BEFORE_USED = 2,
	FLAGS = UNIT - 1,
	TAG_BYTES = sizeof(uint64_t),
	BLOCK_MIN = 32,			/* a tag, two links and a foot */
	CHECK_SHIFT = HEAP_LIMIT_SHIFT, /* a size has no more bits */
	TRIM_BYTES = 128 << 10, /* free bytes below the break that go back */
};

static const uint64_t value_mask = ((uint64_t)1 << CHECK_SHIFT) - 1;

struct block {
	uint64_t tag;
	struct list links; /* while it is free */
};

static_assert(sizeof(struct block) + sizeof(uint64_t) == BLOCK_MIN,
	      "the smallest block holds what a free one needs");

static bool is_used(const struct block *block)
{
	return block->tag & USED;
}

static size_t block_size(const struct block *block)
{
	return block->tag & value_mask & ~(uint64_t)FLAGS;
}

static struct block *block_at(const void *block, size_t offset)
{
	return (struct block *)((uintptr_t)block + offset);
}

static struct block *block_after(const struct block *block)
{
	return block_at(block, block_size(block));
}

static struct block *block_of_links(struct list *links)
{
	return container_of(links, struct block, links);
}

static void *payload_of(struct block *block)
{
	return (char *)block + TAG_BYTES;
}

static struct block *block_of_payload(const void *payload)
{
	return block_at(payload, -(size_t)TAG_BYTES);
}

static struct block *end_mark(struct sm_heap *heap)
{
	return block_at(heap->start, break_size(heap) - TAG_BYTES);
}

static uint64_t make_tag(const struct sm_heap *heap, const struct block *block,
			 uint64_t value)
{
	uint64_t hash = (uintptr_t)block ^ (uintptr_t)heap;

	hash = (hash * 0x9e3779b97f4a7c15 ^ value) * 0xbf58476d1ce4e5b9;
	return value | (hash & ~value_mask);
}

static void set_tag(struct sm_heap *heap, struct block *block, uint64_t value)
{
	block->tag = make_tag(heap, block, value);
}

static bool has_good_tag(const struct sm_heap *heap, const struct block *block)
{
	return block->tag == make_tag(heap, block, block->tag & value_mask);
}

/* The block above @block, which must not be the end mark. */
static struct block *checked_after(struct sm_heap *heap, struct block *block)
{
	struct block *after = block_after(block);

	if (!has_good_tag(heap, after))
		panic("the word after a block of a heap was overwritten",
		      payload_of(block));
	return after;
}

/* The free block that ends where @block begins. */
static struct block *block_before(struct sm_heap *heap, struct block *block)
{
	size_t size = ((const uint64_t *)block)[-1];
	struct block *before = block_at(block, -size);

	if (size > (uintptr_t)block - (uintptr_t)heap->start - heap->first ||
	    block_size(before) != size)
		panic("a free block of a heap was overwritten", block);
	return before;
}

static void set_flag(struct sm_heap *heap, struct block *block, uint64_t flag)
{
	set_tag(heap, block, (block->tag & value_mask) | flag);
}

static void clear_flag(struct sm_heap *heap, struct block *block, uint64_t flag)
{
	set_tag(heap, block, block->tag & value_mask & ~flag);
}

/*
 * The entry of the free list after which @block belongs. It looks from both
 * ends of the list and among the blocks above, in turns: with few free blocks
 * the list is short, and with many there is one of them near.
 */
static struct list *find_place(struct sm_heap *heap, struct block *block)
{
	struct list *low = heap->free.next, *high = heap->free.prev;
	struct block *after = block_after(block);

	while (low != &heap->free && low < &block->links) {
		if (high < &block->links)
			return high;
		if (!is_used(after))
			return after->links.prev;
		low = low->next;
		high = high->prev;
		after = checked_after(heap, after);
	}
	return low->prev;
}

/* Enter the @size bytes at @block as a free block after @place. */
static void add_free_block(struct sm_heap *heap, struct block *block,
			   size_t size, struct list *place)
{
	set_tag(heap, block, size | BEFORE_USED);
	((uint64_t *)block_after(block))[-1] = size;
	clear_flag(heap, block_after(block), BEFORE_USED);
	list_insert_after(place, &block->links);
	heap->free_blocks++;
}

/* A free block is checked here, the one place that trusts what it holds;
 * returns the entry before it. */
static struct list *remove_free_block(struct sm_heap *heap, struct block *block)
{
	struct list *links = &block->links, *place = links->prev;

	if (!has_good_tag(heap, block) || is_used(block) ||
	    links->next->prev != links || place->next != links)
		panic("a free block of a heap was overwritten", block);
	list_remove(links);
	heap->free_blocks--;
	return place;
}

static void mark_used(struct sm_heap *heap, struct block *block, size_t size)
{
	set_tag(heap, block, size | USED | BEFORE_USED);
	set_flag(heap, block_after(block), BEFORE_USED);
	heap->used += size;
	heap->blocks++;
}

/* Use the lower @size bytes of the free @block; it keeps less than a smallest
 * block more. */
static struct block *cut_block(struct sm_heap *heap, struct block *block,
			       size_t size)
{
	size_t whole = block_size(block);
	struct list *place = remove_free_block(heap, block);

	if (whole - size < BLOCK_MIN) {
		mark_used(heap, block, whole);
		return block;
	}
	set_tag(heap, block, size);
	add_free_block(heap, block_after(block), whole - size, place);
	mark_used(heap, block, size);
	return block;
}

static struct block *take_first_fit(struct sm_heap *heap, size_t size)
{
	list_for_each(links, &heap->free) {
		struct block *block = block_of_links(links);

		if (block_size(block) >= size)
			return cut_block(heap, block, size);
	}
	return NULL;
}

/* Raise the break for a block of @size; a free block below it becomes part. */
static struct block *take_from_break(struct sm_heap *heap, size_t size,
				     bool wait)
{
	struct block *end = end_mark(heap), *block = end;
	size_t have;

	if (!has_good_tag(heap, end))
		panic("the last word of a heap was overwritten", end);
	if (!(end->tag & BEFORE_USED))
		block = block_before(heap, end);
	have = (uintptr_t)end - (uintptr_t)block;
	if (!break_set_locked(heap, break_size(heap) + size - have, wait))
		return NULL;
	if (have > 0)
		remove_free_block(heap, block);
	set_tag(heap, end_mark(heap), USED);
	mark_used(heap, block, size);
	return block;
}

/* Make the segment above the program's own break an allocator without blocks:
 * an end mark, and payloads at multiples of 16. */
static bool open_allocator(struct sm_heap *heap, bool wait)
{
	size_t first = round_up(break_size(heap) + TAG_BYTES, UNIT) - TAG_BYTES;

	if (!break_set_locked(heap, first + TAG_BYTES, wait))
		return false;
	heap->first = first;
	set_tag(heap, end_mark(heap), USED | BEFORE_USED);
	return true;
}

static struct block *take_block(struct sm_heap *heap, size_t size, bool wait)
{
	size_t bare_size = break_size(heap);
	struct block *block;

	if (heap->first) {
		block = take_first_fit(heap, size);
		return block ? block : take_from_break(heap, size, wait);
	}
	if (!open_allocator(heap, wait))
		return NULL;
	block = take_from_break(heap, size, wait);
	if (!block) {
		heap->first = 0;
		break_set_locked(heap, bare_size, wait);
	}
	return block;
}

static void *alloc_locked(struct sm_heap *heap, size_t size, unsigned int flags)
{
	bool wait = !(flags & SM_NOWAIT);
	char *fresh = heap->start + break_size(heap); /* zero from here on */
	struct block *block;
	char *payload;

	block = take_block(
		heap, max_size(round_up(size + TAG_BYTES, UNIT), BLOCK_MIN),
		wait);
	if (!block)
		return NULL;
	payload = payload_of(block);
	if ((flags & SM_ZERO) && payload < fresh)
		memset(payload, 0, min_size(size, (size_t)(fresh - payload)));
	return payload;
}

/* If the free @block is the last and large, lower the break to its start. */
static void trim_break(struct sm_heap *heap, struct block *block)
{
	if (block_size(block) < TRIM_BYTES ||
	    block_after(block) != end_mark(heap))
		return;
	remove_free_block(heap, block);
	set_tag(heap, block, USED | BEFORE_USED);
	break_set_locked(
		heap, (size_t)((char *)block - heap->start) + TAG_BYTES, true);
}

/* Free @block, which has been validated, merging it with its neighbours. */
static void free_locked(struct sm_heap *heap, struct block *block)
{
	struct block *after = block_after(block);
	struct list *place = NULL;
	size_t size = block_size(block);

	heap->used -= size;
	heap->blocks--;
	clear_flag(heap, block, USED);
	if (!is_used(after)) {
		size += block_size(after);
		place = remove_free_block(heap, after);
	}
	if (!(block->tag & BEFORE_USED)) {
		block = block_before(heap, block);
		size += block_size(block);
		place = remove_free_block(heap, block);
	}
	if (!place)
		place = find_place(heap, block);
	add_free_block(heap, block, size, place);
	trim_break(heap, block);
}

static void refuse_unless_inside(struct sm_heap *heap, const void *payload)
{
	size_t offset = (uintptr_t)payload - (uintptr_t)heap->start;

	if (offset >= break_size(heap) || (uintptr_t)payload % UNIT != 0)
		panic("sm_heap_free: block is not of this heap", payload);
}

/* The used block of @payload; anything else is misuse. */
static struct block *find_block(struct sm_heap *heap, const void *payload)
{
	struct block *block = block_of_payload(payload);

	refuse_unless_inside(heap, payload);
	if (!heap->first || block < block_at(heap->start, heap->first) ||
	    !has_good_tag(heap, block))
		panic("sm_heap_free: block is not of this heap", payload);
	if (!is_used(block))
		panic("double free in a heap", payload);
	MUST(checked_after(heap, block)->tag & BEFORE_USED);
	return block;
}

/* Leave @payload to the next one who has the lock. */
static void defer_free(struct sm_heap *heap, void *payload)
{
	void **link = payload;

	refuse_unless_inside(heap, payload);
	*link = atomic_load_explicit(&heap->deferred, memory_order_relaxed);
	/* Pairs with the acquire in free_deferred(). */
	while (!atomic_compare_exchange_weak_explicit(
		&heap->deferred, link, payload, memory_order_release,
		memory_order_relaxed))
		;
}

static void free_deferred(struct sm_heap *heap)
{
	void *payload, *next;

	if (!atomic_load_explicit(&heap->deferred, memory_order_relaxed))
		return;
	/* Pairs with the release in defer_free(). */
	payload = atomic_exchange_explicit(&heap->deferred, NULL,
					   memory_order_acquire);
	for (; payload; payload = next) {
		struct block *block = find_block(heap, payload);

		next = *(void **)payload;
		free_locked(heap, block);
	}
}

static void *try_alloc(struct sm_heap *heap, size_t size, unsigned int flags)
{
	bool wait = !(flags & SM_NOWAIT);
	void *payload;

	if (size > heap->limit || !break_enter(heap, wait))
		return NULL;
	if (wait)
		free_deferred(heap);
	payload = alloc_locked(heap, size, flags);
	break_leave(heap);
	return payload;
}

void *sm_heap_alloc(struct sm_heap *heap, size_t size, unsigned int flags)
{
	void *payload;

	if (!flags_are_valid(flags))
		return NULL;
	do {
		payload = try_alloc(heap, size, flags);
	} while (!payload && (flags & SM_NOFAIL) && nofail_retry(size));
	if (!payload)
		errno = ENOMEM;
	return payload;
}

void sm_heap_free(struct sm_heap *heap, void *block)
{
	if (!block)
		return;
	if (!break_enter(heap, true)) {
		defer_free(heap, block);
		return;
	}
	free_deferred(heap);
	free_locked(heap, find_block(heap, block));
	if (SM_CHECKS >= 2)
		heap_check(heap);
	break_leave(heap);
}

/* The numbers are those of heap_check(). */
static void check_segment(struct sm_heap *heap)
{
	size_t page = os_page_bytes();

	MUST(break_size(heap) <= heap->limit &&
	     heap->limit <= heap->reserved); /* 1 */
	MUST(break_size(heap) <= heap->dirty &&
	     heap->dirty <= heap->committed);				 /* 2 */
	MUST(heap->committed <= heap->reserved);			 /* 2 */
	MUST(heap->committed % page == 0 && heap->reserved % page == 0); /* 2 */
	if (heap->first == 0)
		MUST(heap->blocks == 0 && list_empty(&heap->free)); /* 3 */
}

/* @block is free and @links the next entry of the list; returns the one after.
 */
static struct list *check_free_block(struct sm_heap *heap, struct block *block,
				     struct list *links)
{
	MUST(&block->links == links && links->next->prev == links); /* 7 */
	MUST(block->tag & BEFORE_USED);				    /* 6 */
	MUST(block_before(heap, block_after(block)) == block);	    /* 8 */
	MUST(block_after(block) != end_mark(heap) ||
	     block_size(block) < TRIM_BYTES); /* 10 */
	return links->next;
}

/*
 * 1. The break is not above the limit, nor that above the reservation.
 * 2. size <= dirty <= committed <= reserved; the last two are whole pages.
 * 3. A bare segment has no blocks.
 * 4. The blocks tile the bytes from @first up to the end mark; each has a good
 *    tag, and a size that is a multiple of 16 and at least the smallest.
 * 5. Each tag tells truly whether the block before is used.
 * 6. No two free blocks are neighbours.
 * 7. The list holds the free blocks, in the order of addresses, and no other.
 * 8. The last word of a free block leads to its start.
 * 9. The counters agree with the blocks.
 * 10. The last block is used, or too small to trim.
 */
void heap_check(struct sm_heap *heap)
{
	struct list *links = heap->free.next;
	size_t used = 0, blocks = 0, free_blocks = 0;
	bool before_used = true;
	struct block *block, *end;

	check_segment(heap);
	if (!heap->first)
		return;
	end = end_mark(heap);
	for (block = block_at(heap->start, heap->first); block != end;
	     block = block_after(block)) {
		MUST(block < end && has_good_tag(heap, block));	   /* 4 */
		MUST(block_size(block) >= BLOCK_MIN);		   /* 4 */
		MUST(!(block->tag & BEFORE_USED) == !before_used); /* 5 */
		before_used = is_used(block);
		used += before_used ? block_size(block) : 0;
		blocks += before_used;
		free_blocks += !before_used;
		if (!before_used)
			links = check_free_block(heap, block, links);
	}
	MUST(has_good_tag(heap, end) && block_size(end) == 0 && is_used(end));
	MUST(!(end->tag & BEFORE_USED) == !before_used);    /* 5 */
	MUST(links == &heap->free);			    /* 7 */
	MUST(heap->used == used && heap->blocks == blocks); /* 9 */
	MUST(heap->free_blocks == free_blocks);		    /* 9 */
}
