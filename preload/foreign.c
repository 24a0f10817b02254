/* SPDX-License-Identifier: MIT */
/*
 * Blocks of libc's own malloc, for the programs that get some and give them to
 * us: from modules that are bound to libc's names (RTLD_DEEPBIND with
 * deepbind:keep, dlsym() with a handle of libc), from other namespaces.
 *
 * A pointer is taken for such a block if what surrounds it is what glibc would
 * have put there, looked at without ever touching memory that may not be
 * mapped. The word before a block holds its size and three flags, and they say
 * whose it is:
 *
 * - mapped on its own: libc gives it back by munmap(2), nothing else;
 * - of an arena: the arena is found from its address, so any libc of the
 *   process may free it;
 * - of the main arena: ours to free if it lies between the end of the program
 *   and the break. Elsewhere it is of the main arena of another namespace, and
 *   nobody here may touch it: such a block is dropped, and stays allocated.
 */
#include <slubmalloc/malloc.h>

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

enum {
	CHUNK_PREVIOUS_USED = 1,
	CHUNK_MAPPED = 2,
	CHUNK_OF_ARENA = 4,
	CHUNK_FLAGS = 7,
	CHUNK_HEADER = 2 * sizeof(size_t),
	CHUNK_MIN = 4 * sizeof(size_t),
};

/* Arenas other than the main one grow in segments of this size and alignment.
 */
#define ARENA_SEGMENT_BYTES ((uintptr_t)64 << 20)

/* What stands before a block of glibc. */
struct chunk {
	size_t previous_size; /* of a mapped one: bytes before it */
	size_t size;	      /* from here to the next chunk, and the flags */
};

/* What an arena's segment begins with. */
struct arena_segment {
	void *arena;
	struct arena_segment *previous;
	size_t size;
};

/*
 * Read 8 bytes at @address, or return false if that would fault. The system
 * call reads its second argument first and then refuses the first: it changes
 * nothing, needs no descriptor, and every filter allows it, since libc cannot
 * do without.
 */
static bool read_word(uintptr_t address, size_t *ret_word)
{
	int saved_errno = errno;
	bool readable;

	syscall(SYS_rt_sigprocmask, ~0, address, NULL, sizeof(size_t));
	readable = errno != EFAULT;
	errno = saved_errno;
	if (readable)
		*ret_word = *(volatile const size_t *)address;
	return readable;
}

static size_t chunk_bytes(const struct chunk *chunk)
{
	return chunk->size & ~(size_t)CHUNK_FLAGS;
}

/* The header before @block, if there is one that makes sense. */
static bool read_chunk(uintptr_t block, struct chunk *ret_chunk)
{
	uintptr_t start = block - CHUNK_HEADER;

	if (block % SM_ALIGN_MIN != 0 || block <= CHUNK_HEADER ||
	    !read_word(start, &ret_chunk->previous_size) ||
	    !read_word(start + sizeof(size_t), &ret_chunk->size))
		return false;
	return chunk_bytes(ret_chunk) >= CHUNK_MIN &&
	       chunk_bytes(ret_chunk) % SM_ALIGN_MIN == 0 &&
	       chunk_bytes(ret_chunk) <= (size_t)PTRDIFF_MAX - start;
}

/* A chunk in use is followed by one that knows it. */
static bool is_followed_by_chunk(uintptr_t start, const struct chunk *chunk)
{
	struct chunk next;

	return read_chunk(start + chunk_bytes(chunk) + CHUNK_HEADER, &next) &&
	       next.size & CHUNK_PREVIOUS_USED;
}

static bool is_mapping(uintptr_t start, const struct chunk *chunk)
{
	size_t page = (size_t)getpagesize();
	size_t last;

	return (start - chunk->previous_size) % page == 0 &&
	       (chunk->previous_size + chunk_bytes(chunk)) % page == 0 &&
	       chunk->previous_size < chunk_bytes(chunk) &&
	       read_word(start + chunk_bytes(chunk) - sizeof(last), &last);
}

static bool is_in_arena(uintptr_t start, const struct chunk *chunk)
{
	uintptr_t segment = start & ~(ARENA_SEGMENT_BYTES - 1);
	size_t arena, size, first;

	return read_word(segment + offsetof(struct arena_segment, arena),
			 &arena) &&
	       read_word(segment + offsetof(struct arena_segment, size),
			 &size) &&
	       arena % SM_ALIGN_MIN == 0 && read_word(arena, &first) &&
	       size <= ARENA_SEGMENT_BYTES &&
	       start - segment + chunk_bytes(chunk) <= size &&
	       is_followed_by_chunk(start, chunk);
}

/* The kind of chunk that @block is, with @ret_chunk its header. */
static bool find_chunk(const void *block, struct chunk *ret_chunk)
{
	uintptr_t start = (uintptr_t)block - CHUNK_HEADER;

	if (!read_chunk((uintptr_t)block, ret_chunk))
		return false;
	if (ret_chunk->size & CHUNK_MAPPED)
		return !(ret_chunk->size & CHUNK_OF_ARENA) &&
		       is_mapping(start, ret_chunk);
	if (ret_chunk->size & CHUNK_OF_ARENA)
		return is_in_arena(start, ret_chunk);
	return is_followed_by_chunk(start, ret_chunk);
}

/* The end of the program itself, where the break began. */
static uintptr_t program_end(void)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);
	uintptr_t base = 0, end = 0;

	for (size_t i = 0; header && i < count; i++)
		if (header[i].p_type == PT_PHDR)
			base = (uintptr_t)header - header[i].p_vaddr;
	for (size_t i = 0; header && i < count; i++)
		if (header[i].p_type == PT_LOAD)
			end = base + header[i].p_vaddr + header[i].p_memsz;
	return end;
}

static bool is_below_break(const void *block)
{
	return (uintptr_t)block >= program_end() &&
	       (uintptr_t)block < (uintptr_t)sbrk(0);
}

static int owns_block(const void *block)
{
	struct chunk chunk;

	return find_chunk(block, &chunk);
}

/* libc's free(), whatever other malloc may be loaded as well. */
static void (*find_free(void))(void *)
{
	static void (*libc_free)(void *);
	void *libc;

	if (libc_free)
		return libc_free;
	libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	if (libc) {
		libc_free = (void (*)(void *))dlsym(libc, "free");
		dlclose(libc);
	}
	return libc_free;
}

static void free_block(void *block)
{
	struct chunk chunk;
	void (*libc_free)(void *) = find_free();

	if (!libc_free || !find_chunk(block, &chunk))
		return;
	if (chunk.size & (CHUNK_MAPPED | CHUNK_OF_ARENA) ||
	    is_below_break(block))
		libc_free(block);
}

/* A chunk may use the first word of the next one, unless it is a mapping. */
static size_t block_usable_size(const void *block)
{
	struct chunk chunk;

	if (!find_chunk(block, &chunk))
		return 0;
	if (chunk.size & CHUNK_MAPPED)
		return chunk_bytes(&chunk) - CHUNK_HEADER;
	return chunk_bytes(&chunk) - sizeof(size_t);
}

static const struct sm_next libc_next = {
	.owns = owns_block,
	.free = free_block,
	.usable_size = block_usable_size,
};

__attribute__((constructor)) static void name_next(void)
{
	sm_set_next(&libc_next);
}
