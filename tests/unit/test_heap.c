/* SPDX-License-Identifier: MIT */
/* Bytes: what the sm_ functions promise, for every size and along every way. */
#include <slubmalloc/slubmalloc.h>

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "heap/heap.h"
#include "wake_page.h"

/* On both sides of every border between two ways. */
static const size_t border_sizes[] = {
	1,	  15,	   16,	    17,	      127,    128,
	129,	  1000,	   4095,    4096,     4097,   SLAB_SIZE_MAX - 1,
	32 << 10, 32769,   40000,   65536,    100000, (1 << 20) - 4096,
	1 << 20,  1048577, 3 << 20, 10 << 20,
};

enum {
	BORDERS = ARRAY_SIZE(border_sizes)
};

/* A byte that tells blocks apart. */
static int mark_of(size_t n)
{
	return (int)(n * 37 % 251 + 1);
}

TEST(version_is_that_of_the_header)
{
	int major, minor, patch;

	EXPECT_EQ(sscanf(sm_version(), "%d.%d.%d", &major, &minor, &patch), 3);
	EXPECT_EQ(major, SM_VERSION_MAJOR);
	EXPECT_EQ(minor, SM_VERSION_MINOR);
	EXPECT_EQ(patch, SM_VERSION_PATCH);
}

TEST(blocks_of_every_small_size_are_aligned_apart_and_large_enough)
{
	enum {
		STEP = 13,
		COUNT = 40000 / STEP
	};
	static unsigned char *blocks[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		blocks[i] = sm_malloc(i * STEP);
		EXPECT(blocks[i]);
		EXPECT_EQ((uintptr_t)blocks[i] % SM_ALIGN_MIN, 0);
		EXPECT(sm_usable_size(blocks[i]) >= i * STEP);
		memset(blocks[i], mark_of(i), sm_usable_size(blocks[i]));
	}
	for (size_t i = 0; i < COUNT; i++) {
		EXPECT(is_filled(blocks[i], sm_usable_size(blocks[i]),
				 mark_of(i)));
		sm_free(blocks[i]);
	}
}

TEST(blocks_of_all_kinds_live_side_by_side)
{
	unsigned char *blocks[3 * BORDERS];

	for (size_t i = 0; i < 3 * BORDERS; i++) {
		size_t size = border_sizes[i % BORDERS];

		blocks[i] = sm_malloc(size);
		EXPECT(blocks[i] && sm_usable_size(blocks[i]) >= size);
		memset(blocks[i], mark_of(i), sm_usable_size(blocks[i]));
	}
	for (size_t i = 0; i < 3 * BORDERS; i++) {
		EXPECT(sm_owns(blocks[i]));
		EXPECT(is_filled(blocks[i], sm_usable_size(blocks[i]),
				 mark_of(i)));
		sm_free(blocks[i]);
	}
	page_check();
	vma_check();
}

TEST(zero_bytes_are_a_block_of_their_own)
{
	void *one = sm_malloc(0), *other = sm_malloc(0);

	EXPECT(one && other && one != other);
	EXPECT(sm_owns(one));
	sm_free(one);
	sm_free(other);
	EXPECT(sm_calloc(0, 7));
	EXPECT(sm_aligned_alloc(64, 0));
	EXPECT(sm_alloc(0, SM_ZERO));
}

static void expect_enomem(void *block)
{
	EXPECT_EQ(block, NULL);
	EXPECT_EQ(errno, ENOMEM);
	errno = 0;
}

TEST(sizes_that_cannot_be_are_refused)
{
	void *block = sm_malloc(100);

	errno = 0;
	expect_enomem(sm_malloc((size_t)PTRDIFF_MAX + 1));
	expect_enomem(sm_malloc(SIZE_MAX));
	expect_enomem(sm_malloc(PTRDIFF_MAX));
	expect_enomem(sm_calloc(SIZE_MAX / 2, 3));
	expect_enomem(sm_calloc((size_t)1 << 33, (size_t)1 << 33));
	expect_enomem(sm_realloc(block, SIZE_MAX - 4096));
	expect_enomem(sm_aligned_alloc(4096, SIZE_MAX - 100));
	expect_enomem(sm_aligned_alloc((size_t)1 << 63, 1));
	expect_enomem(sm_aligned_alloc((size_t)1 << 62, (size_t)1 << 62));
	expect_enomem(sm_alloc(SIZE_MAX, SM_ZERO));
	sm_free(block);
}

TEST(calloc_is_zero_whatever_was_there_before)
{
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < BORDERS; i++) {
			size_t size = border_sizes[i];
			unsigned char *blocks[3];

			for (int n = 0; n < 3; n++) {
				blocks[n] = n ? sm_calloc(1, size)
					      : sm_alloc(size, SM_ZERO);
				EXPECT(is_filled(blocks[n], size, 0));
				memset(blocks[n], 0xa5,
				       sm_usable_size(blocks[n]));
			}
			for (int n = 0; n < 3; n++)
				sm_free(blocks[n]);
		}
	}
}

static size_t resident_bytes(void)
{
	size_t all, resident;
	char text[100] = "";
	FILE *file = fopen("/proc/self/statm", "r");

	EXPECT(file && fgets(text, sizeof(text), file));
	EXPECT_EQ(sscanf(text, "%zu %zu", &all, &resident), 2);
	fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

TEST(calloc_of_fresh_memory_touches_nothing)
{
	size_t before;

	if (BUILT_WITH_TSAN || SM_CHECKS > 1) /* the builds with sanitizers */
		SKIP("the sanitizer's shadow is touched");
	resident_bytes();
	sm_calloc(1, 512 << 10);
	before = resident_bytes();
	for (int i = 0; i < 40; i++) {
		EXPECT(sm_calloc(1, 500 << 10)); /* runs */
		EXPECT(sm_calloc(1, 2 << 20));	 /* mappings */
		EXPECT(sm_calloc(1, 30 << 10));	 /* objects */
	}
	EXPECT(resident_bytes() < before + 2 * MIB);
}

TEST(every_power_of_two_is_an_alignment)
{
	for (size_t align = 1; align <= (size_t)64 << 20; align *= 2) {
		for (size_t i = 0; i < BORDERS; i++) {
			size_t size = border_sizes[i];
			char *block = sm_aligned_alloc(align, size);

			EXPECT(block && (uintptr_t)block % align == 0);
			EXPECT(sm_usable_size(block) >= size);
			memset(block, 1, size);
			sm_free_aligned_sized(block, align, size);
		}
	}
	errno = 0;
	EXPECT_EQ(sm_aligned_alloc(48, 100), NULL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(sm_aligned_alloc(0, 100), NULL);
	page_check();
	vma_check();
}

TEST(every_small_size_is_to_be_had_at_every_alignment)
{
	for (size_t align = 1; align <= 2 * SLAB_ALIGN_MAX; align *= 2) {
		for (size_t size = 0; size <= 3 * SLAB_ALIGN_MAX; size += 24) {
			char *block = sm_aligned_alloc(align, size);

			EXPECT(block && (uintptr_t)block % align == 0);
			EXPECT(sm_usable_size(block) >= size);
			sm_free(block);
		}
	}
}

TEST(posix_memalign_refuses_by_value_and_keeps_errno)
{
	void *untouched = &untouched, *block = untouched;

	errno = 1234;
	EXPECT_EQ(sm_posix_memalign(&block, 0, 8), EINVAL);
	EXPECT_EQ(sm_posix_memalign(&block, 4, 8), EINVAL);
	EXPECT_EQ(sm_posix_memalign(&block, 24, 8), EINVAL);
	EXPECT_EQ(sm_posix_memalign(&block, 64, PTRDIFF_MAX), ENOMEM);
	EXPECT_EQ(block, untouched);
	EXPECT_EQ(sm_posix_memalign(&block, 8, 8), 0);
	EXPECT_EQ(sm_posix_memalign(&block, 4096, 100), 0);
	EXPECT_EQ((uintptr_t)block % 4096, 0);
	EXPECT_EQ(sm_posix_memalign(&block, 1 << 20, 100), 0);
	EXPECT_EQ((uintptr_t)block % (1 << 20), 0);
	EXPECT_EQ(errno, 1234);
}

/* What an allocation of @size takes off the budget when it is a hit. */
static int64_t spent_by(void *(*alloc)(size_t size), size_t size)
{
	int64_t before;

	sm_free(alloc(size));
	sm_free(alloc(size)); /* the first may have been a miss */
	os_thread.budget = before = 1 << 20;
	sm_free(alloc(size));
	return before - os_thread.budget;
}

static void *alloc_zeroed(size_t size)
{
	return sm_calloc(1, size);
}

static void *alloc_aligned(size_t size)
{
	return sm_aligned_alloc(64, size);
}

static void *alloc_by_flags(size_t size)
{
	return sm_alloc(size, SM_ZERO);
}

TEST(every_hit_takes_something_off_the_budget_of_the_heartbeat)
{
	if (cpu_slots_only)
		SKIP("there are no hits without restartable sequences");
	EXPECT_EQ(spent_by(sm_malloc, 100), 100);
	EXPECT_EQ(spent_by(alloc_zeroed, 100), 100);
	EXPECT_EQ(spent_by(alloc_aligned, 100), 100);
	EXPECT_EQ(spent_by(alloc_by_flags, 100), 100);
	EXPECT(spent_by(sm_malloc, 100000) > 0);
}

TEST(realloc_keeps_the_content_from_every_size_to_every_other)
{
	for (size_t i = 0; i < BORDERS; i++) {
		for (size_t j = 0; j < BORDERS; j++) {
			size_t from = border_sizes[i], to = border_sizes[j];
			unsigned char *block = sm_malloc(from);

			memset(block, mark_of(i), from);
			block = sm_realloc(block, to);
			EXPECT(block && sm_usable_size(block) >= to);
			EXPECT(is_filled(block, min_size(from, to),
					 mark_of(i)));
			memset(block, mark_of(j), to);
			sm_free(block);
		}
	}
	page_check();
	vma_check();
}

TEST(realloc_keeps_what_lies_in_the_usable_slack)
{
	for (size_t i = 0; i < BORDERS; i++) {
		unsigned char *block = sm_malloc(border_sizes[i]);
		size_t usable = sm_usable_size(block);

		memset(block, 0x77, usable);
		block = sm_realloc(block, 2 * usable + 1);
		EXPECT(is_filled(block, usable, 0x77));
		sm_free(block);
	}
}

TEST(realloc_of_nothing_allocates_and_to_nothing_frees)
{
	void *block = sm_realloc(NULL, 100000);

	EXPECT(block);
	errno = 0;
	EXPECT_EQ(sm_realloc(block, 0), NULL);
	EXPECT_EQ(errno, 0);
	EXPECT(!sm_owns(block));
}

TEST(realloc_within_a_block_stays_in_place)
{
	char *object = sm_malloc(1000), *run = sm_malloc(600000),
	     *mapping = sm_malloc(20 << 20);

	EXPECT_EQ(sm_realloc(object, sm_usable_size(object)), object);
	EXPECT_EQ(sm_realloc(object, 600), object);
	EXPECT_EQ(sm_realloc(run, 500000), run);
	EXPECT_EQ(sm_realloc(run, 590000), run); /* it had that before */
	EXPECT_EQ(sm_realloc(mapping, 18 << 20), mapping);
}

TEST(run_that_grows_in_place_has_the_pages_of_its_class)
{
	char *run = sm_malloc(512 << 10);

	EXPECT_EQ(sm_realloc(run, 256 << 10), run);
	EXPECT_EQ(sm_realloc(run, (256 << 10) + 1), run);
	EXPECT_EQ(sm_usable_size(run), round_up(288 << 10, sm_page_size()));
	EXPECT_EQ(sm_realloc(run, 300 << 10), run);
	EXPECT_EQ(sm_usable_size(run), 320 << 10);
}

TEST(run_gives_back_what_it_no_longer_needs_but_an_eighth)
{
	char *run = sm_malloc(512 << 10);

	EXPECT_EQ(sm_realloc(run, 448 << 10), run);
	EXPECT_EQ(sm_usable_size(run), 512 << 10);
	EXPECT_EQ(sm_realloc(run, (448 << 10) - 1), run);
	EXPECT_EQ(sm_usable_size(run), 448 << 10);
}

TEST(mapping_grows_without_being_copied)
{
	size_t size = 64 << 20, before;
	char *mapping = sm_malloc(size);

	if (sm_page_size() != os_system_page_bytes())
		SKIP("the kernel does not know of pages so large");
	mapping[0] = mapping[size - 1] = 7;
	before = resident_bytes();
	mapping = sm_realloc(mapping, 3 * size);
	EXPECT(mapping[0] == 7 && mapping[size - 1] == 7);
	EXPECT(resident_bytes() < before + MIB);
	EXPECT(sm_usable_size(mapping) >= 3 * size);
}

TEST(failed_realloc_leaves_the_block_as_it_was)
{
	static const size_t sizes[] = { 100, 20000, 100000, 5 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned char *block = sm_malloc(sizes[i]);

		memset(block, 0x77, sizes[i]);
		os_fail_nth(1, SIZE_MAX);
		errno = 0;
		expect_enomem(sm_realloc(block, (size_t)1 << 32));
		os_fail_nth(0, 0);
		EXPECT(is_filled(block, sizes[i], 0x77));
		block = sm_realloc(block, 2 * sizes[i]);
		EXPECT(is_filled(block, sizes[i], 0x77));
		sm_free(block);
	}
}

TEST(free_keeps_errno)
{
	void *blocks[BORDERS];

	for (size_t i = 0; i < BORDERS; i++)
		blocks[i] = sm_malloc(border_sizes[i]);
	errno = 1234;
	sm_free(NULL);
	for (size_t i = 0; i < BORDERS; i++)
		sm_free(blocks[i]);
	EXPECT_EQ(errno, 1234);
	for (size_t i = 0; i < BORDERS; i++)
		sm_free_sized(sm_malloc(border_sizes[i]), border_sizes[i]);
	blocks[0] = sm_malloc(64);
	os_fail_nth(1, SIZE_MAX);
	sm_free(blocks[0]);
	EXPECT_EQ(errno, 1234);
}

TEST(flags_that_make_no_sense_are_refused)
{
	errno = 0;
	EXPECT_EQ(sm_alloc(10, 1 << 10), NULL);
	EXPECT_EQ(errno, EINVAL);
	errno = 0;
	EXPECT_EQ(sm_alloc(10, SM_NOWAIT | SM_NOFAIL), NULL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(sm_pages_alloc(0, 1 << 10), NULL);
	EXPECT_EQ(sm_pages_alloc_exact(1, SM_NOWAIT | SM_NOFAIL), NULL);
}

/* Allocate until there is nothing at hand, then end, in a process that the
 * kernel kills for any system call but that end. */
static void nowait_until_null(const size_t *sizes, size_t count)
{
	EXPECT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), 0);
	for (size_t i = 0; i < count; i++) {
		for (int n = 0; n < 100000; n++) {
			if (!sm_alloc(sizes[i], SM_NOWAIT | SM_ZERO))
				break;
		}
	}
	syscall(SYS_exit, 0);
}

TEST(nowait_makes_no_system_call_at_all)
{
	int status = -1;
	pid_t child;

	if (BUILT_WITH_TSAN)
		SKIP("the sanitizer makes system calls of its own");
	/* Something of every kind is at hand. */
	for (size_t i = 0; i < BORDERS; i++)
		sm_free(sm_malloc(border_sizes[i]));
	child = fork();
	if (child == 0)
		nowait_until_null(border_sizes, BORDERS);
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
}

TEST(nowait_succeeds_from_what_is_at_hand)
{
	for (size_t i = 0; i < BORDERS; i++) {
		size_t size = border_sizes[i];
		char *block;

		sm_free(sm_malloc(size));
		block = sm_alloc(size, SM_NOWAIT);
		EXPECT(block && sm_usable_size(block) >= size);
	}
	errno = 0;
	expect_enomem(sm_alloc((size_t)1 << 36, SM_NOWAIT));
}

static struct {
	size_t size;
	int calls;
	int give_up_after;
} nofail;

static int note_and_help(size_t size)
{
	nofail.size = size;
	if (++nofail.calls == 3)
		os_fail_nth(0, 0);
	return nofail.calls >= nofail.give_up_after;
}

TEST(nofail_asks_its_callback_until_there_is_memory)
{
	nofail.give_up_after = 10;
	EXPECT_EQ(sm_set_nofail(note_and_help), NULL);
	EXPECT_EQ(sm_set_nofail(note_and_help), note_and_help);
	os_fail_nth(1, SIZE_MAX);
	EXPECT(sm_alloc((size_t)1 << 30, SM_NOFAIL));
	EXPECT_EQ(nofail.calls, 3);
	EXPECT_EQ(nofail.size, (size_t)1 << 30);
}

static void *nofail_alloc(size_t size)
{
	os_fail_nth(1, SIZE_MAX);
	return sm_alloc(size, SM_NOFAIL);
}

TEST(nofail_that_gives_up_ends_the_program)
{
	EXPECT_PANIC("must not fail", nofail_alloc((size_t)1 << 30));
	nofail.give_up_after = 1;
	sm_set_nofail(note_and_help);
	EXPECT_PANIC("must not fail", nofail_alloc((size_t)1 << 30));
}

static void free_twice(size_t size)
{
	void *block = sm_malloc(size);

	sm_free(block);
	sm_free(block);
}

TEST(misuse_ends_the_program_with_a_message)
{
	char *object = sm_malloc(1000), *run = sm_malloc(100000);
	char on_stack[64];

	EXPECT_PANIC("double free", free_twice(100000));
	EXPECT_PANIC("not a block", free_twice(10 << 20));
	EXPECT_PANIC("not a block", sm_free(run + 4096));
	EXPECT_PANIC("not a block", sm_free(on_stack + 16));
	EXPECT_PANIC("inside a block", sm_free(object + 8));
	EXPECT_PANIC("not a block", (void)sm_realloc(on_stack + 16, 10));
	EXPECT_PANIC("not a block", (void)sm_realloc(object + 16, 10));
	EXPECT_PANIC("not a block", (void)sm_realloc(object + 16, 1000));
	EXPECT_PANIC("not a block", (void)sm_realloc(object + 8, 1000));
	EXPECT_PANIC("not a block", (void)sm_realloc(run + 4096, 100000));
	EXPECT_PANIC("not a block", (void)sm_realloc(run + 16, 100000));
	EXPECT_PANIC("not a block", (void)sm_usable_size(on_stack + 16));
	EXPECT_PANIC("not a block", (void)sm_usable_size(object + 8));
	EXPECT_PANIC("not a block", (void)sm_usable_size(run + 16));
	EXPECT_PANIC("not the start of pages", sm_pages_free(object));
}

TEST(blocks_are_owned_by_their_start_alone)
{
	char *object = sm_malloc(1000), *run = sm_malloc(100000),
	     *mapping = sm_malloc(10 << 20);

	EXPECT(sm_owns(object) && sm_owns(run) && sm_owns(mapping));
	EXPECT(!sm_owns(object + 16) && !sm_owns(run + 4096) &&
	       !sm_owns(mapping + 4096));
	EXPECT(!sm_owns(NULL) && !sm_owns(&object));
	EXPECT_EQ(sm_usable_size(NULL), 0);
}

static char foreign[64] __attribute__((aligned(16)));
static int foreign_frees;

static int owns_foreign(const void *block)
{
	return block == foreign;
}

static void free_foreign(void *block)
{
	EXPECT_EQ(block, foreign);
	foreign_frees++;
}

static size_t size_foreign(const void *block)
{
	return block == foreign ? sizeof(foreign) : 0;
}

TEST(blocks_of_the_next_allocator_go_there)
{
	static const struct sm_next next = { owns_foreign, free_foreign,
					     size_foreign };
	char *block;

	sm_set_next(&next);
	EXPECT_EQ(sm_usable_size(foreign), 64);
	EXPECT(!sm_owns(foreign));
	sm_free(foreign);
	EXPECT_EQ(foreign_frees, 1);
	memset(foreign, 0x77, 64);
	block = sm_realloc(foreign, 200);
	EXPECT(is_filled(block, 64, 0x77));
	EXPECT_EQ(foreign_frees, 2);
	EXPECT_EQ(sm_realloc(foreign, 0), NULL);
	EXPECT_EQ(foreign_frees, 3);
	EXPECT_PANIC("not a block", sm_free(foreign + 16));
}

TEST(pages_come_by_order_and_by_count)
{
	size_t page = sm_page_size();
	unsigned int most = sm_pages_order_max();
	char *pages;

	for (unsigned int order = 0; order <= most; order++) {
		size_t bytes = page << order;

		pages = sm_pages_alloc(order, SM_ZERO);
		EXPECT_EQ((uintptr_t)pages % bytes, 0);
		EXPECT(is_filled(pages, bytes, 0));
		EXPECT_EQ(sm_usable_size(pages), bytes);
		memset(pages, 1, bytes);
		sm_pages_free(pages);
	}
	pages = sm_pages_alloc_exact(5, 0);
	EXPECT_EQ(sm_usable_size(pages), 5 * page);
	sm_pages_free(pages);
	sm_pages_free(NULL);
	errno = 0;
	EXPECT_EQ(sm_pages_alloc(most + 1, 0), NULL);
	EXPECT_EQ(errno, EINVAL);
	errno = 0;
	EXPECT_EQ(sm_pages_alloc_exact(0, 0), NULL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(sm_pages_alloc_exact(((size_t)1 << most) + 1, 0), NULL);
}

static void expect_no_cache(const char *name, size_t size, size_t align,
			    unsigned int flags)
{
	errno = 0;
	EXPECT_EQ(sm_cache_create(name, size, align, flags, NULL), NULL);
	EXPECT_EQ(errno, EINVAL);
}

TEST(caches_out_of_range_are_refused)
{
	expect_no_cache(NULL, 10, 0, 0);
	expect_no_cache("test", 0, 0, 0);
	expect_no_cache("test", SM_CACHE_SIZE_MAX + 1, 0, 0);
	expect_no_cache("test", 10, 24, 0);
	expect_no_cache("test", 10, 8192, 0);
	expect_no_cache("test", 10, 0, 1 << 10);
	EXPECT_EQ(sm_cache_destroy(NULL), 0);
}

static void set_to_seven(void *object)
{
	memset(object, 7, 100);
}

TEST(cache_serves_constructed_objects_one_by_one_and_in_bulk)
{
	struct sm_cache *cache =
		sm_cache_create("test", 100, 64, 0, set_to_seven);
	void *objects[500];

	EXPECT_EQ(sm_cache_size(cache), 128);
	for (int i = 0; i < 250; i++)
		objects[i] = sm_cache_alloc(cache, 0);
	EXPECT_EQ(sm_cache_alloc_bulk(cache, 0, 250, objects + 250), 250);
	for (int i = 0; i < 500; i++) {
		EXPECT_EQ((uintptr_t)objects[i] % 64, 0);
		EXPECT(is_filled(objects[i], 100, 7));
		((char *)objects[i])[0] = (char)i;
	}
	for (int i = 0; i < 500; i++) {
		EXPECT_EQ(((char *)objects[i])[0], (char)i);
		((char *)objects[i])[0] = 7;
	}
	errno = 0;
	EXPECT_EQ(sm_cache_destroy(cache), -1);
	EXPECT_EQ(errno, EBUSY);
	sm_cache_free_bulk(cache, 250, objects);
	for (int i = 250; i < 500; i++)
		sm_cache_free(cache, objects[i]);
	sm_cache_free(cache, NULL);
	EXPECT_EQ(sm_cache_shrink(cache), 0);
	EXPECT_EQ(sm_cache_destroy(cache), 0);
}

TEST(cache_has_the_flags_of_malloc)
{
	struct sm_cache *cache = sm_cache_create("test", 100, 0, 0, NULL);
	struct sm_cache *built =
		sm_cache_create("test", 100, 0, 0, set_to_seven);
	char *object = sm_cache_alloc(cache, 0);

	memset(object, 7, 100);
	sm_cache_free(cache, object);
	object = sm_cache_alloc(cache, SM_ZERO);
	EXPECT(is_filled(object, 100, 0));
	errno = 0;
	EXPECT_EQ(sm_cache_alloc(built, SM_ZERO), NULL);
	EXPECT_EQ(errno, EINVAL);
	errno = 0;
	EXPECT_EQ(sm_cache_alloc_bulk(built, 1 << 10, 1, (void **)&object), 0);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_PANIC("not of this cache", sm_cache_free(built, object));
	/* Any block may be given to any function of the malloc family. */
	EXPECT(sm_owns(object) && sm_usable_size(object) >= 100);
	sm_free(object);
	EXPECT_EQ(sm_cache_destroy(cache), 0);
}

TEST(statistics_add_up)
{
	struct sm_stats before, after;
	struct sm_cache_stats cache;
	size_t slabs = 0, pages = 0;

	sm_stats(&before);
	for (int i = 0; i < 1000; i++)
		sm_malloc(64);
	sm_malloc(100000);
	sm_malloc(5 << 20);
	sm_stats(&after);
	EXPECT_EQ(after.slab_objects - before.slab_objects, 1000);
	EXPECT_EQ(after.slab_live - before.slab_live, 64000);
	EXPECT_EQ(after.runs - before.runs, 1);
	EXPECT_EQ(after.run_allocs - before.run_allocs, 1);
	EXPECT_EQ(after.mappings - before.mappings, 1);
	EXPECT(after.mapped - before.mapped >= 5 << 20);
	EXPECT_EQ(after.page_size, sm_page_size());
	EXPECT_EQ(after.free_pages + after.slab_pages + after.run_pages +
			  after.meta_pages,
		  after.committed / after.page_size);
	for (size_t i = 0; sm_cache_stats(i, &cache); i++) {
		slabs += cache.slabs;
		pages += cache.slabs * cache.slab_pages;
		EXPECT_EQ(cache.objects, cache.slabs * cache.objects_per_slab);
		EXPECT(cache.free_objects + cache.cached_objects <=
		       cache.objects);
	}
	EXPECT_EQ(slabs, after.slabs);
	EXPECT(pages <= after.slab_pages);
	EXPECT_EQ(sm_cache_stats(999, &cache), 0);
}

static void *burst[200000];

TEST(trim_gives_a_burst_back_to_the_system)
{
	size_t before = resident_bytes(), peak;

	for (size_t i = 0; i < ARRAY_SIZE(burst); i++) {
		burst[i] = sm_malloc(300);
		memset(burst[i], 1, 300);
	}
	peak = resident_bytes();
	EXPECT(peak - before >= (size_t)60 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(burst); i++)
		sm_free(burst[i]);
	EXPECT_EQ(sm_trim(0), 1);
	if (!BUILT_WITH_TSAN) /* whose shadow stays */
		EXPECT(resident_bytes() < before + ((size_t)8 << 20));
	EXPECT_EQ(sm_trim(0), 0);
	page_check();
}

TEST(memory_of_one_kind_serves_the_others_when_it_is_short)
{
	size_t count = 0;

	while (count < 2000 && (burst[count] = sm_malloc(20000)))
		count++;
	for (size_t i = 0; i < count; i++)
		sm_free(burst[i]);
	/* All of it lies in slabs, arrays and barns now. */
	os_fail_nth(1, SIZE_MAX);
	for (int i = 0; i < 100; i++)
		EXPECT(sm_malloc(200000));
	for (int i = 0; i < 1000; i++)
		EXPECT(sm_malloc(100));
}

TEST(after_out_of_memory_what_is_freed_can_be_had_again)
{
	for (size_t i = 0; i < BORDERS; i++) {
		size_t size = border_sizes[i];
		void *first = sm_malloc(size), *last = first;

		os_fail_nth(1, SIZE_MAX);
		errno = 0;
		for (int n = 0; n < 1000000 && last; n++)
			last = sm_malloc(size);
		expect_enomem(last);
		sm_free(first);
		EXPECT(sm_malloc(size));
		os_fail_nth(0, 0);
		EXPECT(sm_malloc(size));
	}
	page_check();
	vma_check();
}

enum {
	KINDS = 4, /* of blocks: the last is an object of a cache */
};

static const size_t one_of_each[] = { 100, 5000, 30000, 100000, 5 << 18 };

static void alloc_each(struct sm_cache *cache, void *blocks[][KINDS])
{
	for (size_t i = 0; i < ARRAY_SIZE(one_of_each); i++) {
		size_t size = one_of_each[i];

		blocks[i][0] = sm_malloc(size);
		blocks[i][1] = sm_calloc(1, size);
		blocks[i][2] = sm_aligned_alloc(8192, size);
		blocks[i][3] = cache ? sm_cache_alloc(cache, 0) : NULL;
		for (int n = 0; n < KINDS - 1; n++) {
			if (blocks[i][n])
				memset(blocks[i][n], n + 1, size);
		}
	}
}

/* Grow a block, if it can be, and free it; true if it was and could. */
static bool grow_and_free(void *block, size_t size, int fill)
{
	void *moved = sm_realloc(block, size * 3 / 2);

	if (block)
		EXPECT(is_filled(moved ? moved : block, size, fill));
	sm_free(moved ? moved : block);
	return block && moved;
}

static bool use_everything(void)
{
	struct sm_cache *cache = sm_cache_create("test", 5000, 0, 0, NULL);
	struct sm_heap *heap = sm_heap_create(1 << 20);
	void *blocks[ARRAY_SIZE(one_of_each)][KINDS];
	bool ok = cache && heap && sm_heap_alloc(heap, 100000, 0);

	alloc_each(cache, blocks);
	for (size_t i = 0; i < ARRAY_SIZE(one_of_each); i++) {
		for (int n = 0; n < KINDS - 1; n++)
			ok &= grow_and_free(blocks[i][n], one_of_each[i],
					    n + 1);
		ok &= blocks[i][3] != NULL;
		if (cache)
			sm_cache_free(cache, blocks[i][3]);
	}
	sm_heap_destroy(heap);
	EXPECT_EQ(sm_cache_destroy(cache), 0);
	sm_trim(0);
	return ok;
}

static void use_and_recover(void)
{
	struct sm_stats stats;

	use_everything();
	os_fail_nth(0, 0);
	EXPECT(use_everything());
	page_check();
	vma_check();
	sm_trim(0);
	sm_stats(&stats);
	EXPECT_EQ(stats.runs, 0);
	EXPECT_EQ(stats.mappings, 0);
	EXPECT_EQ(stats.slab_objects, 0);
	EXPECT_EQ(stats.slabs, 0);
}

TEST(any_system_call_may_fail_and_nothing_is_lost)
{
	fail_each_call(use_and_recover);
}
