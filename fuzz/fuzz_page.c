/* SPDX-License-Identifier: MIT */
/* Fuzz the buddy allocator: runs of pages, and the allocator's own memory. */
#include <slubmalloc/flags.h>

#include <string.h>

#include "fuzz.h"
#include "page/zone.h"

enum kind {
	KIND_RUN,
	KIND_SLAB,
	KIND_META
};

enum {
	/* Small, so that one zone is soon full and others are made. */
	WINDOW_BYTES = 16 << 20,
	RETAIN_BYTES = 1 << 20,
	CLASSES = 256,
};

static void start(void)
{
	struct page_options options = {
		.window = WINDOW_BYTES,
		.retain = RETAIN_BYTES,
	};

	fuzz_wake_os();
	options.cpus = os_cpu_limit();
	FUZZ_EXPECT(page_init(&options));
}

static unsigned int any_class(struct input *input)
{
	return 1 + (unsigned int)input_below(input, CLASSES - 1);
}

/* The run that the owner of a block says is there. */
static void expect_run(const struct shadow_block *block)
{
	struct page *page = page_find(block->start);
	const unsigned char *last = block->start + block->bytes - 1;

	FUZZ_EXPECT(page && page_start(page) == block->start);
	FUZZ_EXPECT((size_t)page->count << os_page_shift == block->bytes);
	FUZZ_EXPECT(page->type ==
		    (block->kind == KIND_RUN ? PAGE_RUN : PAGE_SLAB));
	FUZZ_EXPECT(page_class(block->start) == (uintptr_t)block->owner);
	FUZZ_EXPECT(page_class(last) == (uintptr_t)block->owner);
}

static bool is_room_in_zones(size_t count, size_t align)
{
	for (size_t i = 0; i < zone_count(); i++) {
		if (!zone_is_full(zone_at(i), count, align))
			return true;
	}
	return false;
}

static void *alloc_pages(size_t count, size_t align, enum page_use use,
			 unsigned int flags)
{
	size_t calls = os_call_count(), zones = zone_count();
	bool had_room = is_room_in_zones(count, align), is_zero = false;
	void *start = pages_alloc(count, align, use, flags, &is_zero);

	/* If the system has no memory, it has none for another zone. */
	FUZZ_EXPECT(!had_room || zone_count() == zones);

	if (flags & SM_NOWAIT) {
		FUZZ_EXPECT(os_call_count() == calls);
	} else if (!start) {
		fuzz_forgive();
		start = pages_alloc(count, align, use, flags, &is_zero);
		FUZZ_EXPECT(start);
	}
	if (!start)
		return NULL;
	FUZZ_EXPECT(((uintptr_t)start & ((align << os_page_shift) - 1)) == 0);
	if (is_zero)
		shadow_expect_zero(start, count << os_page_shift);
	return start;
}

/* Mostly few pages, since all are touched. */
static size_t any_count(struct input *input)
{
	unsigned int bits = pageblock_order() + 1;
	size_t count = input_size(input, input_seldom(input, 8) ? bits : 5);

	return clamp_size(count, 1, pages_per_block());
}

static void alloc_run(struct input *input)
{
	size_t count = any_count(input);
	unsigned int flags = input_seldom(input, 4) ? SM_NOWAIT : 0;
	size_t align = 1;
	void *start;

	if (input_seldom(input, 3))
		align <<= input_below(input, pageblock_order() + 1);
	if (!shadow_has_room(1, count << os_page_shift))
		return;
	fuzz_trace("run of %zu pages at %zu, flags %u", count, align, flags);
	start = alloc_pages(count, align, USE_RUN, flags);
	if (start)
		shadow_add(start, count << os_page_shift, KIND_RUN, NULL);
}

static void alloc_slab(struct input *input)
{
	size_t count = (size_t)1 << input_below(input, pageblock_order() + 1);
	unsigned int flags = input_seldom(input, 4) ? SM_NOWAIT : 0;
	unsigned int class = any_class(input);
	void *start;

	if (!shadow_has_room(1, count << os_page_shift))
		return;
	fuzz_trace("slab of %zu pages, class %u, flags %u", count, class,
		   flags);
	start = alloc_pages(count, count, USE_SLAB, flags);
	if (!start)
		return;
	page_set_class(start, count, class);
	shadow_add(start, count << os_page_shift, KIND_SLAB,
		   (void *)(uintptr_t) class);
}

static void free_pages(struct shadow_block *block)
{
	void *start = block->start;
	size_t count = block->bytes >> os_page_shift;

	fuzz_trace("free %zu pages at %p", count, start);
	expect_run(block);
	if (block->kind == KIND_SLAB)
		page_set_class(start, count, 0);
	shadow_remove(block);
	pages_free(start);
}

static void free_any(struct input *input)
{
	unsigned int kind = input_bit(input) ? KIND_SLAB : KIND_RUN;
	struct shadow_block *block = shadow_pick(input_byte(input), kind, NULL);

	if (block)
		free_pages(block);
}

static void resize_run(struct input *input)
{
	struct shadow_block *block =
		shadow_pick(input_byte(input), KIND_RUN, NULL);
	size_t count = any_count(input), bytes = count << os_page_shift;
	bool ok;

	if (!block || !shadow_has_room(0, bytes))
		return;
	expect_run(block);
	ok = pages_resize(block->start, count);
	fuzz_trace("resize %zu bytes at %p to %zu pages: %d", block->bytes,
		   (void *)block->start, count, ok);
	FUZZ_EXPECT(ok || bytes > block->bytes);
	if (ok)
		shadow_move(block, block->start, bytes, bytes);
	expect_run(block);
}

static void alloc_meta(struct input *input)
{
	size_t bytes = clamp_size(input_size(input, 14), 1, META_BYTES_MAX);
	unsigned int flags = input_seldom(input, 4) ? SM_NOWAIT : 0;
	size_t calls = os_call_count();
	void *object;

	if (!shadow_has_room(1, bytes))
		return;
	fuzz_trace("structure of %zu bytes, flags %u", bytes, flags);
	object = meta_alloc(bytes, flags);
	if (flags & SM_NOWAIT) {
		FUZZ_EXPECT(os_call_count() == calls);
	} else if (!object) {
		fuzz_forgive();
		object = meta_alloc(bytes, flags);
		FUZZ_EXPECT(object);
	}
	if (!object)
		return;
	FUZZ_EXPECT((uintptr_t)object % (bytes < CACHE_LINE_BYTES ? 16 : 64) ==
		    0);
	shadow_expect_zero(object, bytes);
	shadow_add(object, bytes, KIND_META, NULL);
}

static void free_meta_block(struct shadow_block *block)
{
	void *object = block->start;
	size_t bytes = block->bytes;

	fuzz_trace("free a structure of %zu bytes", bytes);
	shadow_remove(block);
	meta_free(object, bytes);
}

static void free_meta(struct input *input)
{
	struct shadow_block *block =
		shadow_pick(input_byte(input), KIND_META, NULL);

	if (block)
		free_meta_block(block);
}

static void trim(struct input *input)
{
	size_t keep = input_bit(input) ? input_size(input, 25) : 0;

	fuzz_trace("trim, keeping %zu bytes", keep);
	pages_trim(keep);
}

static void give_back_addresses(struct input *input)
{
	(void)input;
	fuzz_trace("give addresses back");
	pages_give_back_addresses();
}

static void set_retain(struct input *input)
{
	size_t bytes = input_size(input, 25);

	fuzz_trace("retain %zu bytes", bytes);
	pages_set_retain(bytes);
}

/* What is used is what the shadow knows, and what the allocator itself uses. */
static void check(void)
{
	struct page_stats stats;

	page_check();
	page_stats(&stats);
	FUZZ_EXPECT(stats.run_allocs - stats.run_frees ==
		    shadow_count(KIND_RUN, NULL));
	FUZZ_EXPECT(stats.free_dirty <= stats.free);
}

static void finish(void)
{
	struct shadow_block *block;

	while ((block = shadow_pick(0, KIND_RUN, NULL)) ||
	       (block = shadow_pick(0, KIND_SLAB, NULL)))
		free_pages(block);
	while ((block = shadow_pick(0, KIND_META, NULL)))
		free_meta_block(block);
	pages_set_retain(RETAIN_BYTES);
	fuzz_expect_no_leak(false);
}

static const fuzz_operation operations[] = {
	alloc_run,  alloc_run, alloc_slab,	    alloc_meta, free_any,
	free_any,   free_any,  resize_run,	    resize_run, free_meta,
	set_retain, trim,      give_back_addresses,
};

const struct fuzzer fuzzer = {
	.start = start,
	.operations = operations,
	.nr_operations = ARRAY_SIZE(operations),
	.check = check,
	.finish = finish,
	.is_inside_gate = true,
};
