/* SPDX-License-Identifier: MIT */
/* Fuzz the malloc family and the pages. */
#include "fuzz_heap.h"

#include <errno.h>

enum {
	ALIGN_SHIFT_MAX = 22,
	INTERRUPT_BYTES_MAX = 64 << 10, /* emergency memory is never trimmed */
	ORDER_MAX = 6, /* the larger ones are the page fuzzer's */
};

enum call {
	CALL_MALLOC,
	CALL_CALLOC,
	CALL_ALIGNED,
	CALL_FLAGS,
	CALLS
};

struct request {
	enum call call;
	size_t size;
	size_t align;
	unsigned int flags;
};

/* Around all the sizes at which something changes. */
static size_t any_size(struct input *input)
{
	static const unsigned int bits[] = { 10, 12, 12, 14, 16, 16, 21 };
	size_t choice = input_below(input, ARRAY_SIZE(bits) + 1);

	if (choice == ARRAY_SIZE(bits))
		return RUN_BYTES_MAX + input_size(input, 21);
	return input_size(input, bits[choice]);
}

static size_t any_align(struct input *input)
{
	unsigned int most = input_seldom(input, 8) ? ALIGN_SHIFT_MAX : 12;

	return (size_t)1 << input_below(input, most + 1);
}

static struct request any_request(struct input *input)
{
	struct request request = {
		.call = (enum call)input_below(input, CALLS),
		.size = any_size(input),
		.align = SM_ALIGN_MIN,
	};

	if (request.call == CALL_CALLOC)
		request.flags = SM_ZERO;
	if (request.call == CALL_ALIGNED)
		request.align = any_align(input);
	if (request.call == CALL_FLAGS)
		request.flags = any_flags(input);
	return request;
}

static void *call(const struct request *request)
{
	switch (request->call) {
	case CALL_CALLOC:
		if (request->size % 3 == 0)
			return sm_calloc(request->size / 3, 3);
		return sm_calloc(1, request->size);
	case CALL_ALIGNED:
		return sm_aligned_alloc(request->align, request->size);
	case CALL_FLAGS:
		return sm_alloc(request->size, request->flags);
	default:
		return sm_malloc(request->size);
	}
}

static void expect_alignment(const void *block, size_t align)
{
	align = max_size(align, SM_ALIGN_MIN);
	FUZZ_EXPECT(((uintptr_t)block & (align - 1)) == 0);
}

static void accept_block(void *block, const struct request *request)
{
	size_t usable = sm_usable_size(block);

	FUZZ_EXPECT(usable >= request->size);
	FUZZ_EXPECT(sm_owns(block));
	expect_alignment(block, request->align);
	if (request->flags & SM_ZERO)
		shadow_expect_zero(block, request->size);
	shadow_add(block, usable, KIND_BLOCK, NULL);
}

void alloc_block(struct input *input)
{
	struct request request = any_request(input);
	size_t calls;
	bool interrupts;
	void *block;

	if (!shadow_has_room(1, request.size))
		return;
	interrupts = begin_interrupt(input);
	if (interrupts) {
		request.size %= INTERRUPT_BYTES_MAX;
		request.align = min_size(request.align, INTERRUPT_BYTES_MAX);
	}
	fuzz_trace("alloc %d: %zu bytes at %zu, flags %u", request.call,
		   request.size, request.align, request.flags);
	calls = os_call_count();
	block = call(&request);
	if (!accept_result(block, request.flags, calls)) {
		block = call(&request);
		FUZZ_EXPECT(block);
	}
	end_interrupt(interrupts);
	if (block)
		accept_block(block, &request);
}

/* In an interrupt it can't be told how large a mapping is. */
static bool may_refuse(const struct shadow_block *block, bool interrupts)
{
	return interrupts && !page_find(block->start);
}

static void *resize(struct shadow_block *block, size_t size, bool interrupts)
{
	void *start = sm_realloc(block->start, size);

	if (start)
		return start;
	FUZZ_EXPECT(errno == ENOMEM);
	if (may_refuse(block, interrupts))
		return NULL;
	fuzz_forgive();
	start = sm_realloc(block->start, size);
	FUZZ_EXPECT(start);
	return start;
}

static void forget_and_free(struct shadow_block *block, unsigned int how);

void realloc_block(struct input *input)
{
	struct shadow_block *block =
		shadow_pick(input_byte(input), KIND_BLOCK, NULL);
	size_t size = any_size(input);
	bool interrupts;
	void *start;

	if (!block || !shadow_has_room(0, size))
		return;
	if (size == 0) {
		forget_and_free(block, 3);
		return;
	}
	interrupts = begin_interrupt(input);
	if (interrupts)
		size = 1 + size % INTERRUPT_BYTES_MAX;
	fuzz_trace("realloc %zu bytes at %p to %zu", block->bytes,
		   (void *)block->start, size);
	start = resize(block, size, interrupts);
	end_interrupt(interrupts);
	if (!start)
		return;
	expect_alignment(start, SM_ALIGN_MIN);
	FUZZ_EXPECT(sm_usable_size(start) >= size);
	shadow_move(block, start, sm_usable_size(start), size);
}

static void forget_and_free(struct shadow_block *block, unsigned int how)
{
	void *start = block->start;
	size_t bytes = block->bytes;

	FUZZ_EXPECT(sm_usable_size(start) == bytes);
	shadow_remove(block);
	fuzz_trace("free %zu bytes at %p", bytes, start);
	errno = EDOM;
	if (how == 1)
		sm_free_sized(start, bytes);
	else if (how == 2)
		sm_free_aligned_sized(start, 1, bytes);
	else if (how == 3)
		FUZZ_EXPECT(!sm_realloc(start, 0));
	else
		sm_free(start);
	FUZZ_EXPECT(errno == EDOM);
}

static void free_in_interrupt(struct shadow_block *block)
{
	void *start = block->start;

	shadow_remove(block);
	fuzz_trace("free %p", start);
	sm_free(start);
}

void free_block(struct input *input)
{
	struct shadow_block *block =
		shadow_pick(input_byte(input), KIND_BLOCK, NULL);
	bool interrupts = begin_interrupt(input);

	if (block && interrupts)
		free_in_interrupt(block);
	else if (block)
		forget_and_free(block, (unsigned int)input_below(input, 6));
	end_interrupt(interrupts);
}

struct pages_request {
	size_t count;
	unsigned int order;
	unsigned int flags;
	bool is_exact;
};

static void *call_for_pages(const struct pages_request *request)
{
	return request->is_exact
		       ? sm_pages_alloc_exact(request->count, request->flags)
		       : sm_pages_alloc(request->order, request->flags);
}

static void accept_pages(void *pages, const struct pages_request *request)
{
	size_t bytes = request->count * sm_page_size();

	FUZZ_EXPECT(sm_usable_size(pages) == bytes);
	expect_alignment(pages, request->is_exact ? sm_page_size() : bytes);
	if (request->flags & SM_ZERO)
		shadow_expect_zero(pages, bytes);
	shadow_add(pages, bytes, KIND_PAGES, NULL);
}

void alloc_pages(struct input *input)
{
	unsigned int most =
		(unsigned int)min_size(sm_pages_order_max(), ORDER_MAX);
	struct pages_request request = {
		.order = (unsigned int)input_below(input, most + 1),
		.flags = any_flags(input),
		.is_exact = input_bit(input),
	};
	size_t calls = os_call_count();
	void *pages;

	request.count = request.is_exact ? 1 + input_size(input, most)
					 : (size_t)1 << request.order;
	if (!shadow_has_room(1, request.count * sm_page_size()))
		return;
	fuzz_trace("%zu pages, flags %u", request.count, request.flags);
	pages = call_for_pages(&request);
	if (!accept_result(pages, request.flags, calls)) {
		pages = call_for_pages(&request);
		FUZZ_EXPECT(pages);
	}
	if (pages)
		accept_pages(pages, &request);
}

static void forget_and_free_pages(struct shadow_block *block)
{
	void *start = block->start;

	fuzz_trace("free pages at %p", start);
	shadow_remove(block);
	errno = EDOM;
	sm_pages_free(start);
	FUZZ_EXPECT(errno == EDOM);
}

void free_pages(struct input *input)
{
	struct shadow_block *block =
		shadow_pick(input_byte(input), KIND_PAGES, NULL);

	if (block)
		forget_and_free_pages(block);
}

static void expect_refusal(const void *result, int error)
{
	FUZZ_EXPECT(!result);
	FUZZ_EXPECT(errno == error);
	errno = 0;
}

void refuse_nonsense(struct input *input)
{
	size_t much = PTRDIFF_MAX + (size_t)1 + input_size(input, 60);
	void *block;

	expect_refusal(sm_malloc(much), ENOMEM);
	expect_refusal(sm_calloc(much, 2), ENOMEM);
	expect_refusal(sm_calloc(much / 2, 4), ENOMEM);
	expect_refusal(sm_aligned_alloc(4096, much), ENOMEM);
	expect_refusal(sm_aligned_alloc(PTRDIFF_MAX + 1ul, 1), ENOMEM);
	expect_refusal(sm_aligned_alloc(24, 24), EINVAL);
	expect_refusal(sm_alloc(1, 1 << 7), EINVAL);
	expect_refusal(sm_alloc(1, SM_NOWAIT | SM_NOFAIL), EINVAL);
	expect_refusal(sm_pages_alloc(sm_pages_order_max() + 1, 0), EINVAL);
	expect_refusal(sm_pages_alloc_exact(0, 0), EINVAL);
	FUZZ_EXPECT(!sm_owns(&block) && !sm_owns(NULL));
	FUZZ_EXPECT(sm_usable_size(NULL) == 0);
	sm_free(NULL);
}

void free_all_blocks(void)
{
	struct shadow_block *block;

	while ((block = shadow_pick(0, KIND_BLOCK, NULL)))
		forget_and_free(block, 0);
	while ((block = shadow_pick(0, KIND_PAGES, NULL)))
		forget_and_free_pages(block);
}
