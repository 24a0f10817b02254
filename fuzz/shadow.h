/* SPDX-License-Identifier: MIT */
/*
 * The shadow: what a perfect allocator would know. Every live block, the bytes
 * that its user has written into it, and that no two blocks overlap. A block
 * is filled with a pattern of its own when it's added, and must still hold it
 * whenever it's looked at.
 *
 * Of a large block not every byte is written, for speed: of each 4 KiB the
 * first and the last few.
 */
#ifndef FUZZ_SHADOW_H
#define FUZZ_SHADOW_H

#include <stdbool.h>
#include <stddef.h>

enum {
	SHADOW_BLOCKS_MAX = 512
};

/* A live block. */
struct shadow_block {
	unsigned char *start;
	size_t bytes; /* that its user may write */
	/* Chosen by the fuzzer: what the block is, and what it came from. */
	unsigned int kind;
	void *owner;
	unsigned int stamp; /* chooses the pattern */
};

/* Room for @count more blocks of @bytes together. */
bool shadow_has_room(size_t count, size_t bytes);

/* Add a block: it must not overlap any other; it's filled with its pattern. */
void shadow_add(void *start, size_t bytes, unsigned int kind, void *owner);

/* The @index-th block, modulo their number, of @kind and, unless it's NULL, of
 * @owner; NULL if there's none. */
struct shadow_block *shadow_pick(size_t index, unsigned int kind,
				 const void *owner);

/* The blocks in turn, from 0; NULL after the last. */
const struct shadow_block *shadow_at(size_t index);

/* Number of blocks of @kind, and of @owner unless it's NULL. */
size_t shadow_count(unsigned int kind, const void *owner);

/*
 * @block is now the @bytes at @start: the first @kept of its bytes must have
 * come along, and it must overlap no other block. It's filled anew.
 */
void shadow_move(struct shadow_block *block, void *start, size_t bytes,
		 size_t kept);

/* The block must hold its pattern; and is forgotten. The last block takes its
 * place in memory. */
void shadow_remove(struct shadow_block *block);

/* Every block must hold its pattern. */
void shadow_check(void);

/* The @bytes at @start must be zero. */
void shadow_expect_zero(const void *start, size_t bytes);

#endif
