/* SPDX-License-Identifier: MIT */
/*
 * Memory for those who can't pass the gate: a signal handler that interrupted
 * the allocator, or a thread that holds what fork is waiting for.
 *
 * Chunks of memory from the system, on a list that only grows, each with one
 * word that says how much of it is used and how many blocks are live. An
 * allocation moves the used part up; when the last block of a chunk is freed it
 * starts over. Each is one compare-and-exchange, so this may interrupt itself
 * anywhere. It's slow and wasteful, and it never waits.
 *
 * The other half of it is a list of blocks to be freed later.
 */
#include "heap/heap.h"

#include <string.h>

#include "heap/next.h"

enum {
	CHUNK_BYTES = 256 << 10,
	LIVE_SHIFT =
		40, /* of a chunk's state: bytes used below, blocks above */
};

struct chunk {
	struct chunk *next;	/* [fixed once on the list] */
	size_t bytes;		/* [fixed at creation] with this header */
	_Atomic uint64_t state; /* [atomic] */
};

/* In front of every block. */
struct header {
	size_t bytes; /* that may be used */
	struct chunk *chunk;
};

static_assert(sizeof(struct header) == SM_ALIGN_MIN, "keeps the alignment");

/* The block itself may hold an object that must stay constructed, or belong to
 * another allocator: so this is a block of emergency memory, too. */
struct deferred {
	struct deferred *next; /* [fixed once on the list] */
	void *block;	       /* [fixed once on the list] */
};

static struct {
	struct chunk *_Atomic chunks;	   /* [atomic] */
	struct deferred *_Atomic deferred; /* [atomic] */
} emergency;

static const uint64_t ONE_BLOCK = (uint64_t)1 << LIVE_SHIFT;

static uint64_t used_bytes(uint64_t state)
{
	return state & (ONE_BLOCK - 1);
}

/* Cut @bytes at a multiple of @align out of @chunk, or NULL if it's full. */
static void *cut_block(struct chunk *chunk, size_t bytes, size_t align)
{
	uint64_t state = atomic_load(&chunk->state);
	struct header *header;
	uint64_t end;
	char *block;

	do {
		block = (char *)chunk + used_bytes(state) +
			sizeof(struct header);
		block = (char *)round_up((uintptr_t)block, align);
		end = (uint64_t)(block - (char *)chunk) + bytes;
		if (end > chunk->bytes)
			return NULL;
	} while (!atomic_compare_exchange_weak(
		&chunk->state, &state,
		(state - used_bytes(state) + end) + ONE_BLOCK));
	header = (struct header *)block - 1;
	*header = (struct header){ .bytes = bytes, .chunk = chunk };
	return block;
}

static struct chunk *add_chunk(size_t bytes)
{
	struct chunk *chunk;

	bytes = round_up(max_size(bytes, CHUNK_BYTES), os_page_bytes());
	chunk = os_map(bytes);
	if (!chunk)
		return NULL;
	chunk->bytes = bytes;
	atomic_init(&chunk->state, round_up(sizeof(*chunk), SM_ALIGN_MIN));
	chunk->next = atomic_load(&emergency.chunks);
	while (!atomic_compare_exchange_weak(&emergency.chunks, &chunk->next,
					     chunk))
		continue;
	return chunk;
}

void *emergency_alloc(size_t size, size_t align, unsigned int flags)
{
	size_t bytes = round_up(max_size(size, 1), SM_ALIGN_MIN);
	size_t most = bytes + align + sizeof(struct chunk) +
		      sizeof(struct header) + SM_ALIGN_MIN;
	struct chunk *chunk;
	void *block = NULL;

	align = max_size(align, SM_ALIGN_MIN);
	if (most < bytes || most >= ONE_BLOCK)
		return NULL;
	for (chunk = atomic_load(&emergency.chunks); chunk && !block;
	     chunk = chunk->next)
		block = cut_block(chunk, bytes, align);
	if (!block && !(flags & SM_NOWAIT)) {
		chunk = add_chunk(most);
		block = chunk ? cut_block(chunk, bytes, align) : NULL;
	}
	return block && (flags & SM_ZERO) ? memset(block, 0, bytes) : block;
}

static struct chunk *chunk_of(const void *block)
{
	struct chunk *chunk = atomic_load(&emergency.chunks);

	while (chunk && (uintptr_t)block - (uintptr_t)chunk >= chunk->bytes)
		chunk = chunk->next;
	return chunk;
}

size_t emergency_size(const void *block)
{
	struct chunk *chunk = chunk_of(block);
	const struct header *header = (const struct header *)block - 1;

	if (!chunk || (uintptr_t)block % SM_ALIGN_MIN != 0 ||
	    (const char *)header < (const char *)(chunk + 1) ||
	    header->chunk != chunk)
		return 0;
	return header->bytes;
}

/* All blocks of @chunk are free, and it is marked as full. */
static void start_over(struct chunk *chunk)
{
	size_t kept = os_page_bytes();

	if (chunk->bytes > CHUNK_BYTES)
		os_discard((char *)chunk + kept, chunk->bytes - kept);
	atomic_store(&chunk->state, round_up(sizeof(*chunk), SM_ALIGN_MIN));
}

bool emergency_free(void *block)
{
	struct chunk *chunk = chunk_of(block);
	uint64_t state, rest;

	if (!chunk)
		return false;
	if (emergency_size(block) == 0)
		panic("free of a pointer that is not a block", block);
	((struct header *)block - 1)->chunk = NULL; /* a second free is seen */
	state = atomic_load(&chunk->state);
	do {
		rest = state - ONE_BLOCK;
		if (rest < ONE_BLOCK)
			rest = chunk->bytes; /* full: nobody else has it */
	} while (!atomic_compare_exchange_weak(&chunk->state, &state, rest));
	if (rest < ONE_BLOCK)
		start_over(chunk);
	return true;
}

void deferred_free(void *block)
{
	struct deferred *deferred;

	if (emergency_free(block))
		return;
	deferred = emergency_alloc(sizeof(*deferred), SM_ALIGN_MIN, 0);
	if (!deferred)
		return; /* it stays allocated, which harms nobody */
	deferred->block = block;
	deferred->next = atomic_load(&emergency.deferred);
	while (!atomic_compare_exchange_weak(&emergency.deferred,
					     &deferred->next, deferred))
		continue;
}

void deferred_run(void)
{
	struct deferred *deferred;

	if (likely(!atomic_load_explicit(&emergency.deferred,
					 memory_order_relaxed)))
		return;
	deferred = atomic_exchange(&emergency.deferred, NULL);
	while (deferred) {
		struct deferred *following = deferred->next;

		if (!free_inside(deferred->block))
			next_free(deferred->block);
		emergency_free(deferred);
		deferred = following;
	}
}
