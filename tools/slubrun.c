/* SPDX-License-Identifier: MIT */
/*
 * slubrun: run a command with libslubmalloc in place of malloc, and record what
 * it allocates. It finds the libraries from where it is itself, sets the
 * environment, and becomes the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STATUS_USAGE = 2,
	STATUS_FAILED = 125, /* as env(1) and nice(1) have them */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127
};

struct request {
	const char *library; /* --library, or NULL: ours */
	const char *options; /* --options, or NULL */
	const char *record;  /* --record, or NULL */
	const char *calls;   /* --calls, or NULL */
};

static const char help[] =
	"usage: slubrun [OPTION...] COMMAND [ARGUMENT...]\n"
	"\n"
	"Run COMMAND with libslubmalloc in place of malloc.\n"
	"\n"
	"  -o, --options=NAME:VALUE[,...]  options of the library, as in the\n"
	"                                  variable SLUBMALLOC\n"
	"  -l, --library=FILE              another library in its place\n"
	"  -r, --record=FILE               write each allocation call to FILE\n"
	"  -n, --calls=NUMBER              record no more calls than these\n"
	"  -h, --help                      this text\n"
	"  -V, --version\n"
	"\n"
	"slubrun(1) has the rest.\n";

__attribute__((format(printf, 2, 3))) static _Noreturn void fail(
	int status, const char *format, ...)
{
	va_list arguments;

	fputs("slubrun: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(status);
}

__attribute__((format(printf, 1, 2))) static char *join(const char *format, ...)
{
	va_list arguments;
	char *text;
	int len;

	va_start(arguments, format);
	len = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (len < 0)
		fail(STATUS_FAILED, "no memory");
	return text;
}

static void set_variable(const char *name, const char *value)
{
	if (setenv(name, value, 1) < 0)
		fail(STATUS_FAILED, "%s: %s", name, strerror(errno));
}

/* The folder that this program is in. */
static const char *own_folder(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		fail(STATUS_FAILED, "/proc/self/exe: %s", strerror(errno));
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	return path;
}

/*
 * What LD_PRELOAD can name: an absolute path, since the command may change its
 * folder, without the characters that separate names.
 */
static char *preloadable(const char *path)
{
	char *real = realpath(path, NULL);

	if (!real)
		fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (strpbrk(real, ": "))
		fail(STATUS_FAILED,
		     "%s: a library to preload may have no "
		     "blank and no colon in its path",
		     real);
	return real;
}

/* @name next to this program as it is built, or as it is installed. */
static char *find_library(const char *build_folder, const char *name)
{
	const char *here = own_folder();
	char *built = join("%s/%s/%s", here, build_folder, name);
	char *installed = join("%s/%s/%s", here, SLUBRUN_LIBDIR, name);
	const char *found = access(built, R_OK) == 0 ? built : installed;
	char *library;

	if (access(found, R_OK) < 0)
		fail(STATUS_FAILED, "%s is neither %s nor %s", name, built,
		     installed);
	library = preloadable(found);
	free(built);
	free(installed);
	return library;
}

/* In front of what is preloaded anyhow. */
static void add_preload(char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *all = join("%s%s%s", library, others && *others ? ":" : "",
			 others ? others : "");

	set_variable("LD_PRELOAD", all);
	free(all);
	free(library);
}

/* The library reads its options in order: a later one wins. */
static void add_options(const char *options)
{
	const char *others = getenv("SLUBMALLOC");
	char *all = join("%s%s%s", others ? others : "",
			 others && *others ? "," : "", options);

	set_variable("SLUBMALLOC", all);
	free(all);
}

/* The file is made here, where somebody reads why it can't be. */
static void prepare_record(const struct request *request)
{
	int fd = open(request->record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0666);
	char *path = fd < 0 ? NULL : realpath(request->record, NULL);
	char pid[24];

	if (!path)
		fail(STATUS_FAILED, "%s: %s", request->record, strerror(errno));
	close(fd);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	set_variable("SLUBRECORD", path);
	set_variable("SLUBRECORD_PID", pid);
	if (request->calls)
		set_variable("SLUBRECORD_CALLS", request->calls);
	else
		unsetenv("SLUBRECORD_CALLS");
	free(path);
	add_preload(find_library("record", "libslubrecord.so"));
}

static const char *parse_calls(const char *text)
{
	char *end;

	errno = 0;
	if (strtoull(text, &end, 10) == 0 || *end || errno || *text == '-')
		fail(STATUS_USAGE, "--calls: not a number of calls: %s", text);
	return text;
}

static void parse_option(struct request *request, int option)
{
	switch (option) {
	case 'l':
		request->library = optarg;
		break;
	case 'o':
		request->options = optarg;
		break;
	case 'r':
		request->record = optarg;
		break;
	case 'n':
		request->calls = parse_calls(optarg);
		break;
	case 'h':
		fputs(help, stdout);
		exit(EXIT_SUCCESS);
	case 'V':
		puts("slubrun " SLUBRUN_VERSION);
		exit(EXIT_SUCCESS);
	default:
		fputs("slubrun --help tells the options\n", stderr);
		exit(STATUS_USAGE);
	}
}

/* Options end where the command begins. */
static struct request parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "library", required_argument, NULL, 'l' },
		{ "options", required_argument, NULL, 'o' },
		{ "record", required_argument, NULL, 'r' },
		{ "calls", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct request request = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "+l:o:r:n:hV", options,
				     NULL)) != -1)
		parse_option(&request, option);
	if (optind == argc)
		fail(STATUS_USAGE, "which command?");
	if (request.calls && !request.record)
		fail(STATUS_USAGE, "--calls goes with --record");
	return request;
}

int main(int argc, char **argv)
{
	struct request request = parse_arguments(argc, argv);

	if (request.options)
		add_options(request.options);
	add_preload(request.library
			    ? preloadable(request.library)
			    : find_library("../preload", "libslubmalloc.so.0"));
	if (request.record)
		prepare_record(&request);
	execvp(argv[optind], argv + optind);
	fail(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE,
	     "%s: %s", argv[optind], strerror(errno));
}
