/* SPDX-License-Identifier: MIT */
/* glibc's statistics and controls tell the truth and do their work. */
#include "surface.h"

#include <fcntl.h>
#include <malloc.h>

static size_t used_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

TEST(mallinfo2_follows_small_blocks)
{
	enum {
		BLOCKS = 10000,
		SIZE = 200
	};
	static void *block[BLOCKS];
	size_t before = used_bytes(), held;

	for (int i = 0; i < BLOCKS; i++)
		block[i] = malloc(SIZE);
	held = used_bytes() - before;
	EXPECT(held >= BLOCKS * SIZE && held < BLOCKS * SIZE * 3 / 2);
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	EXPECT(used_bytes() < before + BLOCKS * SIZE / 10);
}

TEST(mallinfo2_follows_large_blocks)
{
	size_t size = 300 << 20, before = used_bytes();
	size_t mappings = mallinfo2().hblks;
	void *block = malloc(size);

	EXPECT(used_bytes() - before >= size);
	EXPECT(used_bytes() - before < size + (4 << 20));
	EXPECT_EQ(mallinfo2().hblks, mappings + 1);
	free(block);
	EXPECT(used_bytes() < before + (4 << 20));
	EXPECT_EQ(mallinfo2().hblks, mappings);
}

TEST(mallinfo2_adds_up)
{
	struct mallinfo2 info;

	for (size_t size = 1; size < 1 << 20; size *= 2) {
		free(malloc(size));
		EXPECT(malloc(size) != NULL);
	}
	info = mallinfo2();
	EXPECT_EQ(info.arena, info.uordblks + info.fordblks);
	EXPECT(info.fsmblks <= info.fordblks);
	EXPECT(info.keepcost <= info.arena);
}

TEST(mallinfo_is_mallinfo2_in_ints)
{
	struct mallinfo2 info = mallinfo2();
	struct mallinfo old = mallinfo();

	EXPECT_EQ(old.uordblks, (int)info.uordblks);
	EXPECT_EQ(old.fordblks, (int)info.fordblks);
	EXPECT_EQ(old.arena, (int)info.arena);
	EXPECT_EQ(old.hblks, (int)info.hblks);
}

TEST(malloc_trim_returns_memory_to_the_system)
{
	enum {
		BLOCKS = 200000,
		SIZE = 500
	};
	void **block = malloc(BLOCKS * sizeof(void *));
	size_t full;

	for (int i = 0; i < BLOCKS; i++)
		block[i] = memset(malloc(SIZE), 1, SIZE);
	full = resident_bytes();
	/* All but one at the end, which keeps glibc from shrinking by itself.
	 */
	for (int i = 0; i < BLOCKS - 1; i++)
		free(block[i]);
	malloc_trim(0);
	TEST_NOTE("%zu KiB resident, %zu KiB after malloc_trim()", full >> 10,
		  resident_bytes() >> 10);
	EXPECT(resident_bytes() < full - BLOCKS / 10 * 8 * SIZE);
	EXPECT_EQ(((char *)block[BLOCKS - 1])[SIZE - 1], 1);
}

TEST(malloc_trim_says_whether_it_returned_memory)
{
	void *block[1000];

	EXPECT_OURS();
	for (int i = 0; i < 1000; i++)
		block[i] = memset(malloc(5000), 1, 5000);
	for (int i = 0; i < 1000; i++)
		free(block[i]);
	EXPECT_EQ(malloc_trim(0), 1);
	EXPECT_EQ(malloc_trim(0), 0);
}

TEST(mallopt_takes_what_glibc_takes)
{
	EXPECT_EQ(mallopt(M_TRIM_THRESHOLD, 1 << 20), 1);
	EXPECT_EQ(mallopt(M_TOP_PAD, 0), 1);
	EXPECT_EQ(mallopt(M_MMAP_THRESHOLD, 1 << 20), 1);
	EXPECT_EQ(mallopt(M_MMAP_MAX, 100), 1);
	EXPECT_EQ(mallopt(M_ARENA_MAX, 1), 1);
	EXPECT_EQ(mallopt(M_ARENA_TEST, 1), 1);
	EXPECT_EQ(mallopt(M_CHECK_ACTION, 3), 1);
	EXPECT_EQ(mallopt(M_MXFAST, 64), 1);
	EXPECT_EQ(mallopt(M_MXFAST, 1 << 20), 0);
	free(malloc(100));
}

TEST(malloc_info_refuses_options)
{
	EXPECT_EQ(malloc_info(1, stdout), EINVAL);
}

/* Written to a file for malloc_info.py, which is a parser of XML. */
TEST(malloc_info_writes_a_document)
{
	const char *path = getenv("SURFACE_MALLOC_INFO");
	FILE *file = path ? fopen(path, "w") : tmpfile();
	void *block[100];

	for (int i = 0; i < 100; i++)
		block[i] = malloc((size_t)i * 50);
	for (int i = 0; i < 100; i += 2)
		free(block[i]);
	EXPECT(malloc(5 << 20) != NULL);
	EXPECT_EQ(malloc_info(0, file), 0);
	EXPECT(ftell(file) > 100);
	EXPECT_EQ(fclose(file), 0);
}

TEST(malloc_stats_prints_on_standard_error)
{
	char text[4096];
	int out[2], kept = dup(STDERR_FILENO);

	EXPECT_EQ(pipe(out), 0);
	dup2(out[1], STDERR_FILENO);
	close(out[1]);
	errno = 0;
	malloc_stats();
	dup2(kept, STDERR_FILENO);
	test_read_all(out[0], text, sizeof(text));
	EXPECT(strstr(text, "in use bytes     ="));
	EXPECT(strstr(text, "Total (incl. mmap):"));
}
