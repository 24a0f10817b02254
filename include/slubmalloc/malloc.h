/* SPDX-License-Identifier: MIT */
/*
 * Blocks of any size: the malloc family by its sm_ names.
 *
 * A block from any of these functions may be given to any other of them, and
 * to any thread.
 */
#ifndef SLUBMALLOC_MALLOC_H
#define SLUBMALLOC_MALLOC_H

#include <stddef.h>

#include <slubmalloc/flags.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every block is a multiple of this many bytes from address zero. */
#define SM_ALIGN_MIN 16

/**
 * sm_malloc() - allocate a block
 * @size: in bytes; zero gives a block of its own that may be freed
 *
 * Return: the block, aligned to %SM_ALIGN_MIN, or %NULL with errno set.
 * Errors: ENOMEM - no memory, or @size is above PTRDIFF_MAX.
 * Context: any thread. In a signal handler it takes no lock that the
 *	interrupted code may hold, so it cannot deadlock on slubmalloc itself.
 *	May call mmap(2), mprotect(2), madvise(2) and futex(2).
 * Cost: constant up to 32 KiB; one buddy allocation up to 1 MiB; else a
 *	mapping.
 * Source: ISO C17 7.22.3.4; the kernel's kmalloc().
 */
SM_EXPORT void *sm_malloc(size_t size);

/**
 * sm_alloc() - allocate a block with flags
 * @size: in bytes; zero gives a block of its own that may be freed
 * @flags: of enum sm_flags
 *
 * Return: the block, aligned to %SM_ALIGN_MIN, or %NULL with errno set.
 * Errors: ENOMEM - as sm_malloc(), or %SM_NOWAIT found nothing at hand;
 *	EINVAL - @flags holds an unknown bit, or %SM_NOWAIT with %SM_NOFAIL.
 * Context: as sm_malloc(); with %SM_NOWAIT no system call at all.
 * Source: the kernel's kmalloc(size, gfp).
 */
SM_EXPORT void *sm_alloc(size_t size, unsigned int flags);

/**
 * sm_calloc() - allocate an array of zeros
 * @count: elements
 * @size: bytes of one element
 *
 * Memory that is known to be zero already is not written, nor touched.
 *
 * Return: the block, or %NULL with errno set.
 * Errors: ENOMEM - no memory, or the product does not fit.
 * Context: as sm_malloc().
 * Source: ISO C17 7.22.3.2.
 */
SM_EXPORT void *sm_calloc(size_t count, size_t size);

/**
 * sm_realloc() - change the size of a block, moving it if it must
 * @block: from this library, or %NULL for a new one
 * @size: in bytes; zero frees @block and returns %NULL, as glibc does
 *
 * The bytes up to the smaller of the old *usable* size and @size are kept.
 * On failure @block is as it was.
 *
 * Return: the block, or %NULL (errno set, unless @size was zero).
 * Errors: ENOMEM - no memory, or @size is above PTRDIFF_MAX.
 * Context: as sm_malloc().
 * Cost: constant in the same size class; a mapping is moved by mremap(2), not
 *	copied.
 * Source: ISO C17 7.22.3.5; glibc 2.36 for zero.
 */
SM_EXPORT void *sm_realloc(void *block, size_t size);

/**
 * sm_free() - give a block back
 * @block: from this library, or %NULL
 *
 * Any thread may free any block. A pointer that is no block of ours goes to
 * the allocator named by sm_set_next(), or ends the program with a message.
 *
 * Context: as sm_malloc(); errno is kept.
 * Source: ISO C17 7.22.3.3; POSIX.1-2024 for errno.
 */
SM_EXPORT void sm_free(void *block);

/**
 * sm_free_sized() - give a block back, naming its size
 * @block: from sm_malloc(), sm_calloc() or sm_realloc(), or %NULL
 * @size: the size it was asked for, in bytes
 *
 * @size is a hint that a wrong value cannot turn into damage.
 *
 * Context: as sm_free().
 * Source: ISO C23 7.24.3.4.
 */
SM_EXPORT void sm_free_sized(void *block, size_t size);

/**
 * sm_free_aligned_sized() - give an aligned block back, naming its size
 * @block: from sm_aligned_alloc(), or %NULL
 * @alignment: the alignment it was asked for, in bytes
 * @size: the size it was asked for, in bytes
 *
 * Context: as sm_free().
 * Source: ISO C23 7.24.3.5.
 */
SM_EXPORT void sm_free_aligned_sized(void *block, size_t alignment,
				     size_t size);

/**
 * sm_aligned_alloc() - allocate @size bytes at a multiple of @alignment
 * @alignment: in bytes; a power of two
 * @size: in bytes; any; zero gives a block of its own that may be freed
 *
 * Return: the block, or %NULL with errno set.
 * Errors: EINVAL - @alignment is not a power of two;
 *	ENOMEM - no memory, or @size and @alignment do not fit together.
 * Context: as sm_malloc().
 * Source: ISO C17 7.22.3.1.
 */
SM_EXPORT void *sm_aligned_alloc(size_t alignment, size_t size);

/**
 * sm_usable_size() - tell how many bytes of a block may be used
 * @block: from this library, or %NULL
 *
 * At least what was asked for, and the same for the life of the block.
 *
 * Return: in bytes; zero for %NULL.
 * Context: as sm_malloc().
 * Source: malloc_usable_size(3).
 */
SM_EXPORT size_t sm_usable_size(const void *block);

/**
 * sm_owns() - ask whether an address is a block of this library
 * @block: any address
 *
 * Return: 1 if @block is the start of a live or cached block, else 0.
 * Context: as sm_malloc(); reads nothing at @block.
 */
SM_EXPORT int sm_owns(const void *block);

/**
 * struct sm_next - the allocator that is asked about blocks that are not ours
 * @owns: does @block belong to it? Must not read @block unless it is mapped.
 * @free: give @block back to it
 * @usable_size: bytes of @block that may be read
 */
struct sm_next {
	int (*owns)(const void *block);
	void (*free)(void *block);
	size_t (*usable_size)(const void *block);
};

/**
 * sm_set_next() - name the next allocator
 * @next: kept by reference, so it must stay; %NULL for none
 *
 * Context: any thread; not in a signal handler.
 */
SM_EXPORT void sm_set_next(const struct sm_next *next);

/**
 * sm_trim() - return free memory to the system
 * @keep: bytes of free memory that may stay, as a hint
 *
 * Empties the per-CPU arrays, the barns, the page lists and the cached
 * mappings, then returns every free page.
 *
 * Return: 1 if any memory was returned, else 0.
 * Context: any thread; not in a signal handler; many system calls.
 * Cost: grows with the number of CPUs, caches and pageblocks.
 * Source: malloc_trim(3).
 */
SM_EXPORT int sm_trim(size_t keep);

/**
 * sm_set_retain() - set how much free memory is kept from the system
 * @bytes: of free pages that stay resident; a 32nd of what is in use stays in
 *	any case, and what was in use within the last second. 1 MiB at first, or
 *	the option "retain".
 *
 * Context: any thread; as sm_malloc().
 * Source: M_TRIM_THRESHOLD of mallopt(3).
 */
SM_EXPORT void sm_set_retain(size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
