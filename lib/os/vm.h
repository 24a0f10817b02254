/* SPDX-License-Identifier: MIT */
/*
 * Address space and memory: the mmap family. Addresses and lengths are
 * multiples of a page. Every call goes through one seam whose nth call a test
 * can make fail.
 */
#ifndef OS_VM_H
#define OS_VM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reserve @bytes of address space at a multiple of @align, a power of two. It
 * can't be touched until os_commit(). NULL if there is none.
 */
void *os_reserve(size_t bytes, size_t align);

/* Make [@start, @start + @bytes) of a reservation usable; 0 or -errno. */
int os_commit(void *start, size_t bytes);

/*
 * Undo os_commit(), giving the memory back; 0 or -errno. For the top of a
 * segment only, where it moves the one boundary between two mappings.
 */
int os_decommit(void *start, size_t bytes);

/* New zeroed memory; NULL if there is none. */
void *os_map(size_t bytes);

/* Give back address space, from os_reserve() or os_map(); 0 or -errno. */
int os_unmap(void *start, size_t bytes);

/*
 * Change the size of a mapping from os_map(), in place or, if @may_move,
 * wherever there is room: the pages move, their bytes are not copied. Returns
 * the new start, or NULL with the mapping as it was.
 */
void *os_remap(void *start, size_t old_bytes, size_t new_bytes, bool may_move);

/*
 * Give the memory of [@start, @start + @bytes) back; the range stays usable and
 * then reads as zero. False if the system refused (locked memory does), and the
 * content is as it was.
 */
bool os_discard(void *start, size_t bytes);

/* Let the system back the range by huge pages where it can: an advice, nothing
 * tells whether it's followed. */
void os_advise_huge(void *start, size_t bytes);

/* Bytes of os_reserve() and os_map() that have not been given back. [atomic] */
size_t os_mapped_bytes(void);

/* Number of system calls made through the seam so far. [atomic] */
size_t os_call_count(void);

/*
 * Make the @nth system call from now fail with ENOMEM (1: the next one), and
 * @count - 1 after it too. 0 for @nth: none. Futexes and probes at start are
 * not counted. For tests.
 */
void os_fail_nth(size_t nth, size_t count);

/* The limit on address space (RLIMIT_AS), in bytes; SIZE_MAX if there's none.
 */
size_t os_address_space_limit(void);

#endif
