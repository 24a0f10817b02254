/* SPDX-License-Identifier: MIT */
/*
 * Address space: a range that is reserved once, and of which the start is
 * usable up to a break that moves up and down, as the kernel's mm->brk does.
 * What was never usable reads as zero when it becomes so.
 */
#ifndef ARENA_ARENA_H
#define ARENA_ARENA_H

#include "os/os.h"

/* Whoever owns an arena serialises the calls on it. */
struct arena {
	char *start;	 /* [fixed at arena_reserve()] */
	size_t reserved; /* bytes; shrinks in arena_give_back() */
	size_t brk;	 /* bytes from the start that are usable */
};

/*
 * Reserve @most bytes; where the system refuses, half of that, and so on down
 * to @least. Under a limit on address space (RLIMIT_AS) no more than a part of
 * it is asked for. Both are powers of two. Returns the bytes reserved, or 0.
 */
size_t arena_reserve(struct arena *arena, size_t most, size_t least);

/* Cut the first @bytes off @arena, which is unused yet, into @ret_head. */
void arena_cut(struct arena *arena, size_t bytes, struct arena *ret_head);

/*
 * Move the break to @brk bytes at least, in steps of @step so that the system
 * is asked seldom; at the end of the range and where memory is short, exactly.
 * False, and no change, if there's no memory or the range ends before @brk.
 */
bool arena_grow(struct arena *arena, size_t brk, size_t step);

/* Move the break down to @brk, giving the memory back; false if refused. */
bool arena_shrink(struct arena *arena, size_t brk);

/* Give back address space above the break; bytes given back. */
size_t arena_give_back(struct arena *arena);

#endif
