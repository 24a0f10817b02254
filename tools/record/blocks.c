/* SPDX-License-Identifier: MIT */
/*
 * The table of live blocks. It is at most half full, and its memory comes from
 * mmap(2), since whoever asks is in the middle of a malloc().
 */
#include "blocks.h"

#include <sys/mman.h>

enum {
	ROOM_FIRST = 1 << 14
};

/* Where the search for @address begins. */
static size_t home_of(const struct blocks *blocks, const void *address)
{
	uint64_t hash = ((uintptr_t)address >> 4) * 0x9e3779b97f4a7c15;

	return (hash >> 32) & (blocks->room - 1);
}

/* Where @address is, or where it would be entered. */
static size_t find_place(const struct blocks *blocks, const void *address)
{
	size_t i = home_of(blocks, address);

	while (blocks->table[i].address && blocks->table[i].address != address)
		i = (i + 1) & (blocks->room - 1);
	return i;
}

static bool grow_table(struct blocks *blocks)
{
	size_t room = blocks->room ? 2 * blocks->room : ROOM_FIRST;
	struct blocks larger = { .room = room, .count = blocks->count };

	larger.table =
		mmap(NULL, room * sizeof(struct block), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (larger.table == MAP_FAILED)
		return false;
	for (size_t i = 0; i < blocks->room; i++) {
		const struct block *block = &blocks->table[i];

		if (block->address)
			larger.table[find_place(&larger, block->address)] =
				*block;
	}
	if (blocks->table)
		munmap(blocks->table, blocks->room * sizeof(struct block));
	*blocks = larger;
	return true;
}

bool blocks_put(struct blocks *blocks, const void *address, uint64_t number)
{
	struct block *block;

	if (2 * blocks->count >= blocks->room && !grow_table(blocks))
		return false;
	block = &blocks->table[find_place(blocks, address)];
	blocks->count += !block->address;
	*block = (struct block){ address, number };
	return true;
}

uint64_t blocks_find(const struct blocks *blocks, const void *address)
{
	if (!blocks->room)
		return 0;
	return blocks->table[find_place(blocks, address)].number;
}

/*
 * Close the gap at @gap: what was pushed beyond it by a collision moves back,
 * so that a search may always end at the first place without a block.
 */
static void close_gap(struct blocks *blocks, size_t gap)
{
	size_t last = blocks->room - 1;

	for (size_t i = (gap + 1) & last; blocks->table[i].address;
	     i = (i + 1) & last) {
		size_t home = home_of(blocks, blocks->table[i].address);

		if (((i - home) & last) < ((i - gap) & last))
			continue;
		blocks->table[gap] = blocks->table[i];
		gap = i;
	}
	blocks->table[gap] = (struct block){ 0 };
}

uint64_t blocks_take(struct blocks *blocks, const void *address)
{
	uint64_t number = blocks_find(blocks, address);

	if (number) {
		close_gap(blocks, find_place(blocks, address));
		blocks->count--;
	}
	return number;
}
