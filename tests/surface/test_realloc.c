/* SPDX-License-Identifier: MIT */
/* realloc, free and what they leave alone: contents, slack, errno. */
#include "surface.h"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>

/* What errno is when main() starts, or as near to it as a test can come. */
static int errno_at_start = -1;

__attribute__((constructor)) static void note_errno(void)
{
	errno_at_start = errno;
}

TEST(errno_is_zero_when_the_program_starts)
{
	EXPECT_EQ(errno_at_start, 0);
}

TEST(realloc_keeps_the_contents_on_any_path)
{
	uint64_t seed = test_seed();

	for (int path = 0; path < 300; path++) {
		size_t size = 1, kept;
		char *block = malloc(size);

		for (int step = 0; step < 12; step++) {
			stamp(block, size, (unsigned int)path);
			kept = size;
			size = test_random(&seed) % (1 << (3 + 2 * step % 22));
			size++;
			block = realloc(block, size);
			EXPECT(block != NULL);
			EXPECT(is_stamped(block, size < kept ? size : kept,
					  (unsigned int)path));
		}
		free(block);
	}
}

TEST(realloc_keeps_what_is_written_to_the_slack)
{
	for (size_t size = 1; size < 6 << 20; size += size / 3 + 1) {
		char *block = malloc(size);
		size_t usable = malloc_usable_size(block);

		stamp(block, usable, 9);
		block = realloc(block, 2 * usable + 1);
		EXPECT(is_stamped(block, usable, 9));
		free(block);
	}
}

TEST(realloc_to_zero_frees_and_returns_null)
{
	for (size_t size = 1; size < 8 << 20; size *= 3) {
		void *block = malloc(size);

		errno = 5;
		EXPECT_EQ(realloc(block, opaque(0)), NULL);
		EXPECT_EQ(errno, 5);
	}
	EXPECT(realloc(NULL, opaque(0)) != NULL);
}

TEST(realloc_that_fails_leaves_the_block)
{
	for (size_t size = 1; size < 8 << 20; size *= 7) {
		char *block = malloc(size);

		stamp(block, size, 4);
		errno = 0;
		EXPECT_EQ(realloc(block, opaque((size_t)PTRDIFF_MAX)), NULL);
		EXPECT_EQ(errno, ENOMEM);
		errno = 0;
		EXPECT_EQ(realloc(block, opaque(SIZE_MAX)), NULL);
		EXPECT_EQ(errno, ENOMEM);
		EXPECT(is_stamped(block, size, 4));
		free(block);
	}
}

TEST(free_keeps_errno)
{
	enum {
		BLOCKS = 40
	};
	void *block[BLOCKS];

	for (size_t size = 1; size < 64 << 20; size *= 4) {
		for (int i = 0; i < BLOCKS; i++)
			block[i] = malloc(size);
		for (int i = 0; i < BLOCKS; i++) {
			errno = 1000 + i;
			free(block[i]);
			EXPECT_EQ(errno, 1000 + i);
		}
	}
	errno = 17;
	free(NULL);
	EXPECT_EQ(errno, 17);
}

/* Where unmapping fails: the kernel allows only so many mappings. */
TEST(free_keeps_errno_when_the_system_refuses)
{
	enum {
		BLOCKS = 64
	};
	void *block[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		block[i] = malloc(1 << 20);
		memset(block[i], 1, 1 << 20);
	}
	for (int i = 0; i < 1 << 17; i++)
		if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			break;
	for (int i = 0; i < BLOCKS; i += 2) {
		errno = 0;
		free(block[i]);
		EXPECT_EQ(errno, 0);
	}
}

/* From C23; glibc has them from 2.43 on. */
TEST(free_sized_frees)
{
	void (*free_sized)(void *, size_t);
	void (*free_aligned_sized)(void *, size_t, size_t);

	*(void **)&free_sized = dlsym(RTLD_DEFAULT, "free_sized");
	*(void **)&free_aligned_sized =
		dlsym(RTLD_DEFAULT, "free_aligned_sized");
	EXPECT_OURS();
	for (size_t size = 0; size < 4 << 20; size += size / 2 + 1) {
		errno = 3;
		free_sized(malloc(size), size);
		free_aligned_sized(aligned_alloc(64, size), 64, size);
		EXPECT_EQ(errno, 3);
	}
	free_sized(NULL, 10);
	free_aligned_sized(NULL, 16, 10);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void *__libc_valloc(size_t size);
extern void *__libc_pvalloc(size_t size);
extern void __libc_free(void *block);

TEST(the_libc_names_are_the_same_allocator)
{
	free(__libc_malloc(100));
	free(__libc_calloc(10, 10));
	free(__libc_realloc(malloc(10), 100));
	free(__libc_memalign(256, 100));
	free(__libc_valloc(100));
	free(__libc_pvalloc(100));
	__libc_free(malloc(100));
	EXPECT_OURS();
	EXPECT(sm_owns(__libc_malloc(1)));
}

/* Gone from the headers, and from the names that can be linked. */
TEST(the_old_names_are_still_there)
{
	void (*cfree)(void *);
	void *(*get_state)(void);
	int (*set_state)(void *);

	EXPECT_OURS();
	*(void **)&cfree = dlsym(RTLD_DEFAULT, "cfree");
	*(void **)&get_state = dlsym(RTLD_DEFAULT, "malloc_get_state");
	*(void **)&set_state = dlsym(RTLD_DEFAULT, "malloc_set_state");
	cfree(malloc(10));
	EXPECT_EQ(get_state(), NULL);
	EXPECT_EQ(set_state(malloc(10)), -1);
}
