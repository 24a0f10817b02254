/* SPDX-License-Identifier: MIT */
/*
 * The options, from the one environment variable SLUBMALLOC:
 *
 *	SLUBMALLOC="name:value,name:value"
 *
 * Read once, at the first call, which may come from the dynamic linker before
 * libc knows the environment. A process that gained privileges ignores it.
 */
#include <elf.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>

#include "heap/heap.h"

enum {
	WORDS_MAX = 4
};

struct row {
	const char *name;
	const char *words[WORDS_MAX]; /* the values, or none: a number */
	long value;		      /* the default, then what was set */
	long least, most;	      /* of a number */
	bool is_power;		      /* of two: no other number will do */
	const char *help;
};

static struct row table[OPTION_COUNT] = {
	[OPTION_INDEX] = {
		.name = "index",
		.words = { "auto", "cpu_id", "mm_cid", "none" },
		.help = "what indexes the per-CPU arrays",
	},
	[OPTION_DEEPBIND] = {
		.name = "deepbind",
		.words = { "drop", "keep" },
		.help = "RTLD_DEEPBIND in a program's dlopen()",
	},
	[OPTION_WINDOW] = {
		.name = "window",
		.value = 1l << 40,
		.least = 16l << 20,
		.most = 1l << 44,
		.is_power = true,
		.help = "bytes of address space to reserve at first",
	},
	[OPTION_RETAIN] = {
		.name = "retain",
		.value = 1l << 20,
		.least = 0,
		.most = LONG_MAX,
		.help = "bytes of free memory to keep, at least",
	},
	[OPTION_HUGE] = {
		.name = "huge",
		.value = 128l << 20,
		.least = 0,
		.most = LONG_MAX >> 1,
		.help = "bytes of heap before huge pages; 0: none",
	},
	[OPTION_PAGE] = {
		.name = "page",
		.value = 0,
		.least = 0,
		.most = 1l << PAGE_SHIFT_MAX,
		.is_power = true,
		.help = "bytes of a page, if more than the system's",
	},
	[OPTION_REPORT] = {
		.name = "report",
		.value = -1,
		.least = 0,
		.most = INT_MAX,
		.help = "file descriptor for statistics at exit",
	},
};

long option_value(enum option option)
{
	return table[option].value;
}

/* Whether the @len bytes at @text are @word. */
static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool parse_word(struct row *row, const char *text, size_t len)
{
	for (int i = 0; i < WORDS_MAX && row->words[i]; i++) {
		if (is_word(text, len, row->words[i])) {
			row->value = i;
			return true;
		}
	}
	return false;
}

static unsigned int unit_shift(char unit)
{
	switch (unit) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

/* Decimal digits, and one of the letters k, m, g for a unit. */
static bool parse_number(struct row *row, const char *text, size_t len)
{
	unsigned int shift = len > 0 ? unit_shift(text[len - 1]) : 0;
	size_t digits = len - (shift > 0);
	long value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text[i] - '0', &value))
			return false;
	}
	if (digits == 0 || value > LONG_MAX >> shift)
		return false;
	value <<= shift;
	if (value < row->least || value > row->most ||
	    (row->is_power && value > 0 && !is_power_of_two((size_t)value)))
		return false;
	row->value = value;
	return true;
}

static struct row *find_row(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (is_word(name, len, table[i].name))
			return &table[i];
	}
	return NULL;
}

static void complain_about(const char *what, const char *item, size_t len)
{
	char line[160];
	size_t used = strlen(what);

	memcpy(line, what, used);
	len = min_size(len, sizeof(line) - used - 1);
	memcpy(line + used, item, len);
	line[used + len] = '\0';
	complain(line);
}

/* The table, for somebody who mistyped a name. */
static void explain_options(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char line[160] = "  ";
		size_t len = strlen(table[i].name);

		memcpy(line + 2, table[i].name, len);
		memcpy(line + 2 + len, ": ", 2);
		memcpy(line + 4 + len, table[i].help,
		       strlen(table[i].help) + 1);
		complain(line);
	}
}

static void parse_item(const char *item, size_t len)
{
	const char *colon = memchr(item, ':', len);
	size_t name_len = colon ? (size_t)(colon - item) : len;
	struct row *row = find_row(item, name_len);
	bool ok;

	if (len == 0)
		return;
	if (!row) {
		complain_about("SLUBMALLOC has an unknown option, ignored: ",
			       item, len);
		explain_options();
		return;
	}
	ok = colon && (row->words[0] ? parse_word : parse_number)(
			      row, colon + 1, len - name_len - 1);
	if (!ok)
		complain_about("SLUBMALLOC has a bad value, ignored: ", item,
			       len);
}

/* Where the kernel put argc, argv and the environment. */
extern void *__libc_stack_end __attribute__((weak));
extern char **environ;

static char **find_environment(void)
{
	long *stack;

	if (environ)
		return environ;
	if (!&__libc_stack_end || !__libc_stack_end)
		return NULL;
	stack = __libc_stack_end;
	return (char **)(stack + 1 + stack[0] + 1);
}

static const char *find_variable(const char *name)
{
	char **environment = find_environment();
	size_t len = strlen(name);

	for (; environment && *environment; environment++) {
		if (strncmp(*environment, name, len) == 0 &&
		    (*environment)[len] == '=')
			return *environment + len + 1;
	}
	return NULL;
}

void options_read(void)
{
	static bool is_read;
	const char *item =
		getauxval(AT_SECURE) ? NULL : find_variable("SLUBMALLOC");

	if (is_read)
		return;
	is_read = true;
	while (item && *item) {
		size_t len = strcspn(item, ",");

		parse_item(item, len);
		item += len + (item[len] == ',');
	}
}

long sm_option(const char *name)
{
	struct row *row = find_row(name, strlen(name));

	return row && heap_ready() ? row->value : -1;
}
