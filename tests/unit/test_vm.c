/* SPDX-License-Identifier: MIT */
/* Address space and memory, and the seam that makes a system call fail. */
#include "os/os.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "test.h"

enum {
	MIB = 1 << 20
};

static int touch(volatile char *address)
{
	*address = 1;
	return 0;
}

static int status_of_touch(char *address)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(touch(address));
	}
	waitpid(child, &status, 0);
	return status;
}

static bool is_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

TEST(page_size_is_a_power_of_two_that_the_system_knows)
{
	os_page_size_init(0);
	EXPECT_EQ(os_page_bytes(), sysconf(_SC_PAGESIZE));
	os_page_size_init(PAGE_SHIFT_MAX);
	EXPECT_EQ(os_page_bytes(), 64 << 10);
	os_page_size_init(PAGE_SHIFT_MAX + 1);
	EXPECT_EQ(os_page_bytes(), sysconf(_SC_PAGESIZE));
}

TEST(reservation_is_aligned_and_counted_to_the_byte)
{
	os_page_size_init(0);
	for (size_t align = os_page_bytes(); align <= 64 * MIB; align *= 4) {
		size_t before = os_mapped_bytes();
		char *start = os_reserve(3 * MIB, align);

		EXPECT(start);
		EXPECT_EQ((uintptr_t)start % align, 0);
		EXPECT_EQ(os_mapped_bytes(), before + 3 * MIB);
		EXPECT_EQ(os_unmap(start, 3 * MIB), 0);
		EXPECT_EQ(os_mapped_bytes(), before);
	}
}

TEST(absurd_reservation_is_refused)
{
	EXPECT(!os_reserve(SIZE_MAX - 4095, 2 * MIB));
	EXPECT(!os_reserve((size_t)1 << 60, os_page_bytes()));
	EXPECT_EQ(os_mapped_bytes(), 0);
}

TEST(only_committed_memory_can_be_touched)
{
	char *start = os_reserve(MIB, os_page_bytes());
	size_t page = os_page_bytes();

	EXPECT(status_of_touch(start) != 0);
	EXPECT_EQ(os_commit(start, 2 * page), 0);
	EXPECT(is_zero(start, 2 * page));
	EXPECT_EQ(status_of_touch(start + 2 * page - 1), 0);
	EXPECT(status_of_touch(start + 2 * page) != 0);
	EXPECT_EQ(os_decommit(start + page, page), 0);
	EXPECT_EQ(status_of_touch(start + page - 1), 0);
	EXPECT(status_of_touch(start + page) != 0);
}

TEST(decommitted_memory_comes_back_as_zero)
{
	char *start = os_reserve(MIB, os_page_bytes());

	os_commit(start, MIB);
	memset(start, 0xa5, MIB);
	EXPECT_EQ(os_decommit(start, MIB), 0);
	EXPECT_EQ(os_commit(start, MIB), 0);
	EXPECT(is_zero(start, MIB));
}

TEST(discarded_memory_stays_usable_and_reads_as_zero)
{
	char *start = os_map(MIB);

	memset(start, 0xa5, MIB);
	EXPECT(os_discard(start, MIB / 2));
	EXPECT(is_zero(start, MIB / 2));
	EXPECT(!is_zero(start + MIB / 2, 1));
	memset(start, 0xa5, MIB);
}

TEST(locked_memory_is_not_discarded_and_keeps_its_content)
{
	char *start = os_map(os_page_bytes());

	memset(start, 0xa5, os_page_bytes());
	/* The sanitizers have a mlock(2) that does nothing. */
	if (syscall(SYS_mlock, start, os_page_bytes()) < 0)
		SKIP("no memory may be locked here");
	EXPECT(!os_discard(start, os_page_bytes()));
	EXPECT_EQ(start[100], (char)0xa5);
}

TEST(remap_keeps_the_bytes_and_the_count)
{
	char *start = os_map(MIB), *moved;

	memset(start, 0xa5, MIB);
	moved = os_remap(start, MIB, 8 * MIB, true);
	EXPECT(moved);
	EXPECT_EQ(os_mapped_bytes(), 8 * MIB);
	EXPECT_EQ(moved[MIB - 1], (char)0xa5);
	EXPECT(is_zero(moved + MIB, 7 * MIB));
	EXPECT_EQ(os_remap(moved, 8 * MIB, MIB, false), moved);
	EXPECT_EQ(os_mapped_bytes(), MIB);
	os_unmap(moved, MIB);
	EXPECT_EQ(os_mapped_bytes(), 0);
}

TEST(remap_in_place_is_refused_where_there_is_no_room)
{
	char *start = os_reserve(2 * MIB, os_page_bytes());

	os_commit(start, MIB);
	EXPECT(!os_remap(start, MIB, MIB + os_page_bytes(), false));
	EXPECT_EQ(os_mapped_bytes(), 2 * MIB);
	EXPECT_EQ(status_of_touch(start + MIB - 1), 0);
}

TEST(named_system_call_fails_and_no_other)
{
	void *start[6];

	os_fail_nth(2, 3);
	for (int i = 0; i < 6; i++) {
		start[i] = os_map(os_page_bytes());
		EXPECT_EQ(!start[i], i >= 1 && i < 4);
	}
	EXPECT_EQ(os_mapped_bytes(), 3 * os_page_bytes());
	os_fail_nth(1, SIZE_MAX);
	EXPECT_EQ(os_commit(start[0], os_page_bytes()), -ENOMEM);
	EXPECT_EQ(os_decommit(start[0], os_page_bytes()), -ENOMEM);
	EXPECT_EQ(os_unmap(start[0], os_page_bytes()), -ENOMEM);
	EXPECT(!os_discard(start[0], os_page_bytes()));
	EXPECT(!os_remap(start[0], os_page_bytes(), MIB, true));
	os_fail_nth(0, 0);
	EXPECT_EQ(os_unmap(start[0], os_page_bytes()), 0);
}

TEST(every_call_is_counted_once)
{
	size_t before = os_call_count();
	void *start = os_map(os_page_bytes());

	os_discard(start, os_page_bytes());
	os_commit(start, os_page_bytes());
	os_unmap(start, os_page_bytes());
	EXPECT_EQ(os_call_count() - before, 4);
}

TEST(failures_keep_errno)
{
	errno = 1234;
	EXPECT(!os_reserve((size_t)1 << 60, os_page_bytes()));
	EXPECT(os_unmap((void *)1, 1) < 0);
	EXPECT_EQ(errno, 1234);
}

TEST(address_space_limit_is_the_one_that_was_set)
{
	struct rlimit limit;

	EXPECT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
	if (limit.rlim_cur == RLIM_INFINITY)
		EXPECT_EQ(os_address_space_limit(), SIZE_MAX);
	limit.rlim_cur = (rlim_t)1 << 45;
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		SKIP("a lower limit is set already");
	EXPECT_EQ(os_address_space_limit(), (size_t)1 << 45);
}
