/* SPDX-License-Identifier: MIT */
/*
 * replay: make the calls of a trace again, on whatever malloc this process has,
 * and say on the last line what they cost, as a JSON object.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "play.h"
#include "trace_read.h"

enum {
	STATUS_USAGE = 2,
	KIB = 1024
};

static const char help[] =
	"usage: replay [OPTION...] FILE\n"
	"\n"
	"Make the allocation calls of a trace of slubrun --record, which may "
	"be\n"
	"compressed by xz, and print what they cost.\n"
	"\n"
	"  -r, --repeat=NUMBER  do it so often; what is live at the end is\n"
	"                       freed after each\n"
	"  -p, --print          print the calls and make none\n"
	"  -h, --help           this text\n";

struct request {
	const char *path;
	unsigned long repeat;
	bool is_print;
};

static void print_call(const struct call *call)
{
	static const char *const names[TRACE_OPS] = {
		[TRACE_MALLOC] = "malloc",   [TRACE_CALLOC] = "calloc",
		[TRACE_ALIGNED] = "aligned", [TRACE_REALLOC] = "realloc",
		[TRACE_FREE] = "free",	     [TRACE_USABLE] = "usable",
	};

	printf("%u %s", call->thread, names[call->op]);
	if (call->op == TRACE_ALIGNED)
		printf(" %llu", 1ull << call->shift);
	if (call->op >= TRACE_REALLOC)
		printf(" #%llu", (unsigned long long)call->taken);
	if (call->given)
		printf(" %llu = #%llu", (unsigned long long)call->size,
		       (unsigned long long)call->given);
	putchar('\n');
}

/* A line a call: thread, call, its arguments, and "= #" the block's number. */
static void print_trace(const struct trace_file *file)
{
	struct trace_reader reader = trace_reader_start(file);
	struct call call;

	while (trace_reader_next(&reader, &call))
		print_call(&call);
	printf("%s of %s: %llu calls, %u threads\n",
	       reader.is_complete ? "end" : "interrupted record",
	       reader.program, (unsigned long long)reader.calls,
	       reader.threads);
}

/* Nothing between the first and the last call allocates for itself. */
static void replay_trace(struct trace_file *file, unsigned long repeat)
{
	struct plan plan = plan_make(file);
	struct stage *stage = stage_make(&plan);
	double seconds = 0;

	trace_file_forget(file);
	memory_reset_peak();
	for (unsigned long i = 0; i < repeat; i++) {
		seconds += stage_play(stage);
		stage_clear(stage);
	}
	say(STDOUT_FILENO,
	    "{\"ns\": %.3f, \"time_s\": %.6f, \"calls\": %llu, "
	    "\"threads\": %u, \"peak_live_kib\": %llu, "
	    "\"peak_kib\": %ld, \"after_kib\": %ld, \"own_kib\": %zu}\n",
	    seconds * 1e9 / (double)(plan.calls * repeat), seconds,
	    (unsigned long long)(plan.calls * repeat), plan.lane_count,
	    (unsigned long long)(plan.live_peak / KIB), memory_peak_kib(),
	    memory_now_kib(), memory_own_bytes() / KIB);
}

static unsigned long parse_repeat(const char *text)
{
	char *end;
	unsigned long repeat = strtoul(text, &end, 10);

	if (*end || *text == '-' || repeat == 0)
		fail("--repeat: not a number of times: %s", text);
	return repeat;
}

static struct request parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "repeat", required_argument, NULL, 'r' },
		{ "print", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct request request = { .repeat = 1 };
	int option;

	while ((option = getopt_long(argc, argv, "r:ph", options, NULL)) !=
	       -1) {
		if (option == 'r') {
			request.repeat = parse_repeat(optarg);
		} else if (option == 'p') {
			request.is_print = true;
		} else {
			say(option == 'h' ? STDOUT_FILENO : STDERR_FILENO, "%s",
			    help);
			exit(option == 'h' ? EXIT_SUCCESS : STATUS_USAGE);
		}
	}
	if (optind + 1 != argc)
		fail("which trace? replay --help tells the options");
	request.path = argv[optind];
	return request;
}

int main(int argc, char **argv)
{
	struct request request = parse_arguments(argc, argv);
	struct trace_file file = trace_file_read(request.path);

	if (request.is_print)
		print_trace(&file);
	else
		replay_trace(&file, request.repeat);
	return EXIT_SUCCESS;
}
