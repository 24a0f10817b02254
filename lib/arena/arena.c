/* SPDX-License-Identifier: MIT */
/* Reserve address space, and move the break inside it. */
#include "arena/arena.h"

/*
 * The share of a limit on address space that one arena may take: the program
 * needs the rest for its stacks and libraries and for mappings of its own.
 */
enum {
	LIMIT_SHARE_SHIFT = 2
};

/* Half of @bytes, or what the limit on address space leaves, if that is less.
 */
static size_t next_size(size_t bytes)
{
	size_t limit = os_address_space_limit();

	do {
		bytes /= 2;
	} while (bytes > limit >> LIMIT_SHARE_SHIFT);
	return bytes;
}

size_t arena_reserve(struct arena *arena, size_t most, size_t least)
{
	for (size_t bytes = most; bytes >= least;
	     bytes = max_size(next_size(bytes), bytes > least ? least : 0)) {
		arena->start = os_reserve(bytes, os_page_bytes());
		if (arena->start) {
			arena->reserved = bytes;
			arena->brk = 0;
			return bytes;
		}
	}
	return 0;
}

void arena_cut(struct arena *arena, size_t bytes, struct arena *ret_head)
{
	CHECK(arena->brk == 0 && bytes <= arena->reserved);
	*ret_head = (struct arena){ .start = arena->start, .reserved = bytes };
	arena->start += bytes;
	arena->reserved -= bytes;
}

static bool move_break_up(struct arena *arena, size_t brk)
{
	if (os_commit(arena->start + arena->brk, brk - arena->brk) < 0)
		return false;
	arena->brk = brk;
	return true;
}

bool arena_grow(struct arena *arena, size_t brk, size_t step)
{
	size_t exact = round_up(brk, os_page_bytes());
	size_t generous = min_size(round_up(brk, step), arena->reserved);

	if (brk <= arena->brk)
		return true;
	if (exact < brk || exact > arena->reserved)
		return false;
	return (generous > exact && move_break_up(arena, generous)) ||
	       move_break_up(arena, exact);
}

bool arena_shrink(struct arena *arena, size_t brk)
{
	brk = round_up(brk, os_page_bytes());
	if (brk >= arena->brk)
		return true;
	if (os_decommit(arena->start + brk, arena->brk - brk) < 0)
		return false;
	arena->brk = brk;
	return true;
}

size_t arena_give_back(struct arena *arena)
{
	size_t unused = arena->reserved - arena->brk;

	if (unused == 0 || os_unmap(arena->start + arena->brk, unused) < 0)
		return 0;
	arena->reserved = arena->brk;
	return unused;
}
