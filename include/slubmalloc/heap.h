/* SPDX-License-Identifier: MIT */
/*
 * Heaps of a program's own: one contiguous segment with a break, and a
 * first-fit allocator inside it.
 *
 * A heap serves either as a bare segment, by sm_heap_brk() and sm_heap_sbrk(),
 * or as an allocator, by sm_heap_alloc() and sm_heap_free(). Once a block has
 * been allocated the break belongs to the allocator, until sm_heap_reset().
 * Its bookkeeping is one word a block, and the sum is rounded to 16 bytes, of
 * which the smallest block has 32: the smallest footprint of all the layers.
 */
#ifndef SLUBMALLOC_HEAP_H
#define SLUBMALLOC_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include <slubmalloc/flags.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sm_heap;

/**
 * sm_heap_create() - make an empty heap
 * @limit: the most bytes it may ever hold; zero for 1 GiB. Address space for
 *	that much is reserved, memory is taken only as the break grows.
 *
 * Return: the heap, or %NULL with errno set.
 * Errors: ENOMEM - no memory, or no address space for @limit.
 * Context: any thread; not in a signal handler; may enter the kernel.
 */
SM_EXPORT struct sm_heap *sm_heap_create(size_t limit);

/**
 * sm_heap_brk() - set the break of a heap
 * @heap: from sm_heap_create()
 * @address: within the segment; memory between the old and the new break is
 *	zero when the break grows, and given back to the system when it shrinks
 *
 * Return: 0, or -1 with errno set and the break as it was.
 * Errors: ENOMEM - @address is outside of the segment or over the limit, or no
 *	memory; EBUSY - a block has been allocated since the heap was created
 *	or reset.
 * Context: any thread; not in a signal handler.
 * Source: brk(2).
 */
SM_EXPORT int sm_heap_brk(struct sm_heap *heap, void *address);

/**
 * sm_heap_sbrk() - move the break of a heap
 * @heap: from sm_heap_create()
 * @increment: in bytes, of either sign; zero asks where the break is
 *
 * Return: the break before the move, or (void *)-1 with errno set.
 * Errors: as sm_heap_brk(); an @increment of zero never fails.
 * Context: any thread; not in a signal handler.
 * Source: sbrk(2).
 */
SM_EXPORT void *sm_heap_sbrk(struct sm_heap *heap, intptr_t increment);

/**
 * sm_heap_alloc() - allocate a block from a heap
 * @heap: from sm_heap_create()
 * @size: in bytes; zero gives a block of its own that may be freed
 * @flags: of enum sm_flags
 *
 * Return: the block, aligned to 16 bytes, or %NULL with errno set.
 * Errors: ENOMEM - over the limit, or no memory; EINVAL - @flags.
 * Context: any thread; not in a signal handler.
 * Cost: grows with the number of free blocks (first fit).
 * Source: the kernel's SLOB; Knuth, The Art of Computer Programming 1, 2.5,
 *	algorithm A and boundary tags.
 */
SM_EXPORT void *sm_heap_alloc(struct sm_heap *heap, size_t size,
			      unsigned int flags);

/**
 * sm_heap_free() - give a block back to its heap
 * @heap: the heap it is from; another one ends the program with a message
 * @block: from sm_heap_alloc(), or %NULL
 *
 * A block that was freed before, or whose neighbouring bookkeeping has been
 * overwritten, ends the program with a message as well. Large free memory below
 * the break goes back to the system.
 *
 * Context: any thread; in a signal handler that interrupts this library the
 *	block is freed by a later call; errno is kept.
 * Cost: constant if a neighbour is free, else a search for the next free block
 *	among the free ones and among those above.
 */
SM_EXPORT void sm_heap_free(struct sm_heap *heap, void *block);

/**
 * sm_heap_reset() - forget every block and move the break to the start
 * @heap: from sm_heap_create()
 *
 * Memory goes back to the system; the heap is as new. It ends the program with
 * a message, as do sm_heap_destroy() and sm_heap_stats(), in a signal handler
 * that interrupts this library.
 *
 * Context: any thread; not in a signal handler.
 */
SM_EXPORT void sm_heap_reset(struct sm_heap *heap);

/**
 * sm_heap_destroy() - end a heap and every block in it
 * @heap: from sm_heap_create(), or %NULL
 *
 * Context: any thread; not in a signal handler.
 */
SM_EXPORT void sm_heap_destroy(struct sm_heap *heap);

/**
 * struct sm_heap_stats - what a heap holds
 * @limit: the most bytes it may hold
 * @size: bytes from its start to its break
 * @used: bytes in allocated blocks, their bookkeeping included
 * @blocks: number of allocated blocks
 * @free_blocks: number of free blocks
 */
struct sm_heap_stats {
	size_t limit;
	size_t size;
	size_t used;
	size_t blocks;
	size_t free_blocks;
};

/**
 * sm_heap_stats() - tell what a heap holds
 * @heap: from sm_heap_create()
 * @stats: written
 *
 * Context: any thread; not in a signal handler.
 */
SM_EXPORT void sm_heap_stats(struct sm_heap *heap, struct sm_heap_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
