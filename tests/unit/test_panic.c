/* SPDX-License-Identifier: MIT */
/* The end of the road: what it says, and that it is the end. */
#include "base/base.h"

#include <errno.h>

#include "test.h"

TEST(panic_says_what_and_where_and_aborts)
{
	EXPECT_PANIC("slubmalloc: double free: 0x1234abcd",
		     (panic("double free", (void *)0x1234abcd), 0));
	EXPECT_PANIC("wild: 0xfedcba9876543210",
		     (panic("wild", (void *)0xfedcba9876543210), 0));
	EXPECT_PANIC("slubmalloc: no address", (panic("no address", NULL), 0));
}

static char *long_text(void)
{
	static char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	return text;
}

TEST(long_message_is_cut_and_the_address_still_shown)
{
	EXPECT_PANIC("xxxx: 0x10", (panic(long_text(), (void *)0x10), 0));
}

static int always_no(void)
{
	return 0;
}

TEST(must_names_the_broken_condition)
{
	MUST(1 + 1 == 2);
	EXPECT_PANIC("slubmalloc: broken: always_no() == 1",
		     MUST(always_no() == 1));
}

TEST(checks_are_on_in_the_builds_that_ask_for_them)
{
	if (SM_CHECKS < 1)
		CHECK(always_no());
	else
		EXPECT_PANIC("always_no()", CHECK(always_no()));
	if (SM_CHECKS < 2)
		CHECK_FULL(always_no());
	else
		EXPECT_PANIC("always_no()", CHECK_FULL(always_no()));
}

static int complain_about(const char *line)
{
	errno = 1234;
	complain(line);
	if (errno == 1234)
		abort();
	return 0;
}

TEST(complaint_is_one_line_that_keeps_errno)
{
	EXPECT_PANIC("slubmalloc: bad option", complain_about("bad option"));
	EXPECT_PANIC("slubmalloc: xxxx", complain_about(long_text()));
}
