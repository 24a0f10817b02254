/* SPDX-License-Identifier: MIT */
/* The blocks that the fuzzed program holds, and every byte in them. */
#include "shadow.h"

#include <stdint.h>
#include <string.h>

#include "fuzz.h"

enum {
	CHUNK_BYTES = 4096,
	WHOLE_BYTES_MAX = 32 << 10, /* larger blocks are written in part */
	EDGE_BYTES = 64,	    /* of each chunk of those */
	PATTERNS = 4096,
	LIVE_BYTES_MAX = 24 << 20,
};

static struct {
	struct shadow_block blocks[SHADOW_BLOCKS_MAX];
	size_t count;
	size_t bytes;
	unsigned int stamp; /* of the block that was filled last */
	unsigned char noise[PATTERNS + CHUNK_BYTES];
} shadow;

static void make_noise(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(shadow.noise); i++) {
		state = state * 1664525 + 1013904223;
		/* Never zero: memory that was lost reads as zero. */
		shadow.noise[i] = (unsigned char)(state >> 24 | 1);
	}
}

/* The pattern of the chunk at @offset. */
static const unsigned char *pattern_at(const struct shadow_block *block,
				       size_t offset)
{
	size_t chunk = offset / CHUNK_BYTES;

	return shadow.noise + (block->stamp * 61 + chunk * 17) % PATTERNS;
}

typedef void (*range_visit)(const struct shadow_block *block,
			    unsigned char *bytes, size_t offset, size_t count);

/* Visit the ranges of the first @count bytes of @block that have a pattern, at
 * @start, in one chunk each. */
static void visit_ranges(const struct shadow_block *block, unsigned char *start,
			 size_t count, range_visit visit)
{
	bool is_whole = block->bytes <= WHOLE_BYTES_MAX;

	for (size_t offset = 0; offset < count; offset += CHUNK_BYTES) {
		size_t left = count - offset, tail = CHUNK_BYTES - EDGE_BYTES;

		if (is_whole) {
			visit(block, start + offset, offset,
			      left < CHUNK_BYTES ? left : CHUNK_BYTES);
			continue;
		}
		visit(block, start + offset, offset,
		      left < EDGE_BYTES ? left : EDGE_BYTES);
		if (left >= CHUNK_BYTES)
			visit(block, start + offset + tail, offset + tail,
			      EDGE_BYTES);
	}
}

static void fill_range(const struct shadow_block *block, unsigned char *bytes,
		       size_t offset, size_t count)
{
	memcpy(bytes, pattern_at(block, offset) + offset % CHUNK_BYTES, count);
}

static void check_range(const struct shadow_block *block, unsigned char *bytes,
			size_t offset, size_t count)
{
	const unsigned char *pattern =
		pattern_at(block, offset) + offset % CHUNK_BYTES;
	size_t i = 0;

	if (memcmp(bytes, pattern, count) == 0)
		return;
	while (bytes[i] == pattern[i])
		i++;
	FUZZ_FAIL("byte %zu of the %zu at %p is 0x%02x, but was written as "
		  "0x%02x",
		  offset + i, block->bytes, (void *)block->start, bytes[i],
		  pattern[i]);
}

static void check_block(const struct shadow_block *block)
{
	visit_ranges(block, block->start, block->bytes, check_range);
}

static void expect_apart(const struct shadow_block *block,
			 const unsigned char *start, size_t bytes)
{
	if (start < block->start + block->bytes && block->start < start + bytes)
		FUZZ_FAIL("%zu bytes at %p overlap the block of %zu at %p",
			  bytes, (const void *)start, block->bytes,
			  (void *)block->start);
}

static void fill_block(struct shadow_block *block)
{
	if (shadow.noise[0] == 0)
		make_noise();
	block->stamp = ++shadow.stamp;
	visit_ranges(block, block->start, block->bytes, fill_range);
}

bool shadow_has_room(size_t count, size_t bytes)
{
	return shadow.count + count <= SHADOW_BLOCKS_MAX &&
	       shadow.bytes + bytes <= LIVE_BYTES_MAX;
}

void shadow_add(void *start, size_t bytes, unsigned int kind, void *owner)
{
	struct shadow_block *block = &shadow.blocks[shadow.count];

	FUZZ_EXPECT(start && shadow.count < SHADOW_BLOCKS_MAX);
	for (size_t i = 0; i < shadow.count; i++)
		expect_apart(&shadow.blocks[i], start, bytes);
	*block = (struct shadow_block){
		.start = start,
		.bytes = bytes,
		.kind = kind,
		.owner = owner,
	};
	fill_block(block);
	shadow.count++;
	shadow.bytes += bytes;
}

const struct shadow_block *shadow_at(size_t index)
{
	return index < shadow.count ? &shadow.blocks[index] : NULL;
}

static bool is_of(const struct shadow_block *block, unsigned int kind,
		  const void *owner)
{
	return block->kind == kind && (!owner || block->owner == owner);
}

size_t shadow_count(unsigned int kind, const void *owner)
{
	size_t sum = 0;

	for (size_t i = 0; i < shadow.count; i++)
		sum += is_of(&shadow.blocks[i], kind, owner);
	return sum;
}

struct shadow_block *shadow_pick(size_t index, unsigned int kind,
				 const void *owner)
{
	size_t count = shadow_count(kind, owner);

	if (count == 0)
		return NULL;
	index %= count;
	for (size_t i = 0;; i++) {
		if (is_of(&shadow.blocks[i], kind, owner) && index-- == 0)
			return &shadow.blocks[i];
	}
}

void shadow_move(struct shadow_block *block, void *start, size_t bytes,
		 size_t kept)
{
	visit_ranges(block, start, kept < block->bytes ? kept : block->bytes,
		     check_range);
	for (size_t i = 0; i < shadow.count; i++) {
		if (&shadow.blocks[i] != block)
			expect_apart(&shadow.blocks[i], start, bytes);
	}
	shadow.bytes += bytes - block->bytes;
	block->start = start;
	block->bytes = bytes;
	fill_block(block);
}

void shadow_remove(struct shadow_block *block)
{
	check_block(block);
	shadow.bytes -= block->bytes;
	*block = shadow.blocks[--shadow.count];
}

void shadow_check(void)
{
	for (size_t i = 0; i < shadow.count; i++)
		check_block(&shadow.blocks[i]);
}

void shadow_expect_zero(const void *start, size_t bytes)
{
	static const unsigned char zero[CHUNK_BYTES];

	for (size_t done = 0; done < bytes; done += CHUNK_BYTES) {
		size_t left = bytes - done;

		if (memcmp((const char *)start + done, zero,
			   left < CHUNK_BYTES ? left : CHUNK_BYTES) != 0)
			FUZZ_FAIL("of the %zu bytes at %p some are not zero, "
				  "from %zu on",
				  bytes, start, done);
	}
}
