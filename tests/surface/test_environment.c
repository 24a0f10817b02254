/* SPDX-License-Identifier: MIT */
/* What the library reads of its surroundings, and what it says about them. */
#include "surface.h"

#include <malloc.h>

/* Before main() some programs throw their environment away. */
__attribute__((constructor)) static void clear_environment(void)
{
	if (getenv("SURFACE_CLEAR"))
		environ = NULL;
}

static void use_memory(void)
{
	for (size_t size = 1; size < 16 << 20; size *= 2)
		free(memset(malloc(size), 1, size));
}

/* What the others start again. */
TEST(plain_program)
{
	use_memory();
	setenv("SLUBMALLOC", "another:1", 1);
	use_memory();
	clearenv();
	use_memory();
}

TEST(a_program_that_does_nothing_wrong_reads_nothing)
{
	char text[4096];

	EXPECT_EQ(run_again("plain_program", "SURFACE", "", text, sizeof(text)),
		  0);
	if (strstr(text, "slubmalloc"))
		FAIL("it says: %s", text);
}

TEST(a_program_may_drop_its_environment)
{
	char text[4096];

	EXPECT_EQ(run_again("plain_program", "SURFACE_CLEAR", "1", text,
			    sizeof(text)),
		  0);
}

/* How often @word stands in @text. */
static int count_words(const char *text, const char *word)
{
	int count = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		count++;
	}
	return count;
}

TEST(an_unknown_option_is_reported_once_by_name)
{
	char text[4096];

	EXPECT_OURS();
	EXPECT_EQ(run_again("plain_program", "SLUBMALLOC", "no_such_thing:1",
			    text, sizeof(text)),
		  0);
	TEST_NOTE("%s", text);
	EXPECT_EQ(count_words(text, "no_such_thing"), 1);
	EXPECT_EQ(count_words(text, "another"), 0);
}

TEST(a_malformed_option_is_reported_once_and_ignored)
{
	char text[4096];

	EXPECT_OURS();
	EXPECT_EQ(run_again("plain_program", "SLUBMALLOC", "deepbind:maybe",
			    text, sizeof(text)),
		  0);
	TEST_NOTE("%s", text);
	EXPECT_EQ(count_words(text, "deepbind"), 1);
}

/* Its rights are not its user's, so the user's settings don't count. */
TEST(a_program_with_other_rights_ignores_the_options)
{
	char command[2048], text[4096];
	const char *program = getenv("SURFACE_STATIC");
	FILE *file;
	size_t len;

	EXPECT_OURS();
	if (geteuid() != 0 || !program)
		SKIP("only root can make such a program");
	snprintf(command, sizeof(command),
		 "d=$(mktemp -d) && chmod 755 $d && cp '%s' $d/program && "
		 "chown 65534 $d/program && chmod 4755 $d/program && "
		 "SLUBMALLOC=no_such_thing:1 LD_PRELOAD= $d/program 2>&1; "
		 "rm -r $d",
		 program);
	file = popen(command, "r");
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	EXPECT_EQ(pclose(file), 0);
	if (!strstr(text, "AT_SECURE=1"))
		SKIP("set-user-ID does not work here: %s", text);
	EXPECT(!strstr(text, "no_such_thing"));
}
