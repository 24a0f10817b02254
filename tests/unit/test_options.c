/* SPDX-License-Identifier: MIT */
/*
 * The options, in processes of their own: this program, started again with
 * SLUBMALLOC set, prints what it took from it.
 */
#include <slubmalloc/slubmalloc.h>

#include <errno.h>

#include "test.h"

static const char *const names[] = { "index", "deepbind", "window", "retain",
				     "huge",  "page",	  "report" };

enum {
	NAMES = sizeof(names) / sizeof(names[0])
};

/* Before main(), and so before any test. */
__attribute__((constructor)) static void print_options_if_asked(void)
{
	if (!getenv("TEST_PRINT_OPTIONS"))
		return;
	for (int i = 0; i < NAMES; i++)
		printf("%ld ", sm_option(names[i]));
	printf("%zu", sm_page_size());
	fflush(stdout);
	_exit(sm_malloc(100) == NULL);
}

struct answer {
	long values[NAMES];
	size_t page_size;
	char complaints[4096];
};

static void start_again(const char *setting, int out, int err)
{
	if (setting)
		setenv("SLUBMALLOC", setting, 1);
	else
		unsetenv("SLUBMALLOC");
	setenv("TEST_PRINT_OPTIONS", "1", 1);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execl("/proc/self/exe", "test_options", NULL);
	_exit(TEST_FAILED);
}

static struct answer ask(const char *setting)
{
	int out[2], err[2], status = -1;
	struct answer answer;
	char text[200];
	pid_t child;

	EXPECT(pipe(out) == 0 && pipe(err) == 0);
	child = fork();
	if (child == 0)
		start_again(setting, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	test_read_all(out[0], text, sizeof(text));
	test_read_all(err[0], answer.complaints, sizeof(answer.complaints));
	close(out[0]);
	close(err[0]);
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(sscanf(text, "%ld %ld %ld %ld %ld %ld %ld %zu",
			 &answer.values[0], &answer.values[1],
			 &answer.values[2], &answer.values[3],
			 &answer.values[4], &answer.values[5],
			 &answer.values[6], &answer.page_size),
		  NAMES + 1);
	return answer;
}

static struct answer ask_quietly(const char *setting)
{
	struct answer answer = ask(setting);

	if (answer.complaints[0])
		FAIL("\"%s\" was answered by: %s",
		     setting ? setting : "nothing", answer.complaints);
	return answer;
}

TEST(defaults_hold_without_a_setting)
{
	struct answer none = ask_quietly(NULL), empty = ask_quietly("");
	struct answer commas = ask_quietly(",,,");

	EXPECT_EQ(none.values[0], 0);
	EXPECT_EQ(none.values[1], 0);
	EXPECT_EQ(none.values[6], -1);
	EXPECT_EQ(none.page_size, sysconf(_SC_PAGESIZE));
	EXPECT_EQ(memcmp(none.values, empty.values, sizeof(none.values)), 0);
	EXPECT_EQ(memcmp(none.values, commas.values, sizeof(none.values)), 0);
}

TEST(words_are_numbered_in_the_order_of_the_documentation)
{
	EXPECT_EQ(ask_quietly("index:auto").values[0], 0);
	EXPECT_EQ(ask_quietly("index:cpu_id").values[0], 1);
	EXPECT_EQ(ask_quietly("index:mm_cid").values[0], 2);
	EXPECT_EQ(ask_quietly("index:none").values[0], 3);
	EXPECT_EQ(ask_quietly("deepbind:drop").values[1], 0);
	EXPECT_EQ(ask_quietly("deepbind:keep").values[1], 1);
}

TEST(numbers_may_have_a_unit)
{
	EXPECT_EQ(ask_quietly("retain:0").values[3], 0);
	EXPECT_EQ(ask_quietly("retain:12345").values[3], 12345);
	EXPECT_EQ(ask_quietly("retain:12k").values[3], 12 << 10);
	EXPECT_EQ(ask_quietly("retain:12K").values[3], 12 << 10);
	EXPECT_EQ(ask_quietly("retain:7m").values[3], 7 << 20);
	EXPECT_EQ(ask_quietly("retain:2G").values[3], 2l << 30);
	EXPECT_EQ(ask_quietly("window:64m").values[2], 64 << 20);
	EXPECT_EQ(ask_quietly("report:2").values[6], 2);
}

TEST(many_options_are_taken_in_turn)
{
	struct answer answer = ask_quietly("index:none,retain:1m,,retain:2m,"
					   "window:32m,");

	EXPECT_EQ(answer.values[0], 3);
	EXPECT_EQ(answer.values[2], 32 << 20);
	EXPECT_EQ(answer.values[3], 2 << 20);
}

TEST(larger_pages_can_be_asked_for)
{
	EXPECT_EQ(ask_quietly("page:64k").page_size, 65536);
	EXPECT_EQ(ask_quietly("page:16384").page_size, 16384);
}

/* How often @what is in @text. */
static int count(const char *text, const char *what)
{
	int found = 0;

	while ((text = strstr(text, what))) {
		found++;
		text += strlen(what);
	}
	return found;
}

static void expect_complaint(const char *setting, const char *complaint)
{
	struct answer defaults = ask(NULL), answer = ask(setting);

	if (count(answer.complaints, "SLUBMALLOC has ") != 1 ||
	    count(answer.complaints, complaint) != 1)
		FAIL("\"%s\" was answered by: %s", setting, answer.complaints);
	EXPECT_EQ(memcmp(defaults.values, answer.values, sizeof(answer.values)),
		  0);
}

TEST(unknown_option_is_named_once_and_ignored)
{
	expect_complaint("bogus:1", "unknown option, ignored: bogus:1");
	expect_complaint("bogus", "unknown option, ignored: bogus");
	expect_complaint(":1", "unknown option, ignored: :1");
	expect_complaint("Index:none", "unknown option, ignored: Index:none");
	expect_complaint("indexx:none", "unknown option, ignored: indexx:none");
	expect_complaint("inde:none", "unknown option, ignored: inde:none");
}

TEST(bad_value_is_named_once_and_ignored)
{
	static const char *const settings[] = {
		"index",
		"index:",
		"index:foo",
		"index:autox",
		"index:aut",
		"index:0",
		"window:",
		"window:abc",
		"window:-1",
		"window:k",
		"window:12x",
		"window:0x1000000",
		"window:1k",
		"window:64m1",
		"window: 64m",
		"window:40000000",
		"page:5000",
		"page:128k",
		"retain:1.5m",
		"report:-1",
		"report:4294967296",
		"window:99999999999999999999",
		"window:99999999999g",
		"retain:9223372036854775808",
		"retain:18014398509481984k",
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		char complaint[100];

		snprintf(complaint, sizeof(complaint), "bad value, ignored: %s",
			 settings[i]);
		expect_complaint(settings[i], complaint);
	}
}

TEST(what_is_right_beside_a_mistake_counts)
{
	struct answer answer = ask("index:none,bogus,retain:8m,window:1,,");

	EXPECT_EQ(answer.values[0], 3);
	EXPECT_EQ(answer.values[3], 8 << 20);
	EXPECT_EQ(count(answer.complaints, "SLUBMALLOC has "), 2);
}

TEST(very_long_mistake_is_cut)
{
	char setting[5000];

	memset(setting, 'x', sizeof(setting) - 1);
	setting[sizeof(setting) - 1] = '\0';
	expect_complaint(setting, "unknown option, ignored: xxx");
}

TEST(option_that_does_not_exist_is_told)
{
	EXPECT_EQ(sm_option("bogus"), -1);
	EXPECT_EQ(sm_option(""), -1);
}
