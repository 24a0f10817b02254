/* SPDX-License-Identifier: MIT */
/* The driver of all fuzzers: from bytes to operations, some with faults. */
#include "fuzz.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/zone.h"

enum {
	OPERATIONS_MAX = 400, /* in one input, so that none takes long */
	OPERATION_MASK = 63,  /* of an operation's first byte; the rest: */
	WITH_FAULTS = 3 << 6,
	CHECK_EVERY = 4, /* operations; and after failed calls */
	CHECK_BYTES_EVERY = 16,
};

static struct {
	bool is_started;
	bool is_traced;
	bool had_faults;     /* since the last check for leaks */
	bool has_faults;     /* in this operation */
	size_t calls_before; /* system calls when they were armed */
	size_t fault_nth;
} state;

void fuzz_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

void fuzz_trace(const char *format, ...)
{
	va_list arguments;

	if (!state.is_traced)
		return;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void fuzz_wake_os(void)
{
	const char *shift = getenv("SM_TEST_PAGE_SHIFT");
	const char *index = getenv("SM_TEST_INDEX");
	bool is_none = index && strcmp(index, "none") == 0;

	os_page_size_init(shift ? (unsigned int)atoi(shift) : 0);
	os_cpu_init(is_none ? CPU_INDEX_NONE : CPU_INDEX_AUTO);
}

static bool has_fault_fired(void)
{
	return state.has_faults &&
	       os_call_count() - state.calls_before >= state.fault_nth;
}

static void begin_faults(struct input *input)
{
	static const size_t counts[] = { 1, 2, 3, 5, 8, 20, 100, SIZE_MAX };
	unsigned int choice = input_byte(input);
	size_t count = counts[choice >> 5];

	state.has_faults = true;
	state.calls_before = os_call_count();
	state.fault_nth = 1 + choice % 32;
	os_fail_nth(state.fault_nth, count);
	fuzz_trace("system calls fail: the next %zu from number %zu on", count,
		   state.fault_nth);
}

void fuzz_end_faults(void)
{
	state.had_faults |= has_fault_fired();
	state.has_faults = false;
	os_fail_nth(0, 0);
}

void fuzz_forgive(void)
{
	if (!has_fault_fired())
		FUZZ_FAIL("refused, but no system call has failed");
	fuzz_trace("refused; once more, without failing calls");
	fuzz_end_faults();
}

/* Addresses that the zones have reserved. */
static size_t reserved_bytes(void)
{
	size_t sum = 0;

	for (size_t i = 0; i < zone_count(); i++) {
		const struct zone *zone = zone_at(i);

		sum += zone->heap.reserved + zone->pages.reserved +
		       zone->blocks.reserved + zone->classes.reserved;
	}
	return sum;
}

/* System calls have failed, and an aligned mapping can't be cut to size, but
 * keeps what is too much for good. */
static bool may_have_lost_addresses(bool has_new_zones)
{
	return state.had_faults &&
	       (has_new_zones || os_page_bytes() > os_system_page_bytes());
}

void fuzz_expect_no_leak(bool may_grow)
{
	static size_t zones, reserved, others;
	bool has_new_zones = reserved_bytes() != reserved;
	size_t others_now = os_mapped_bytes() - reserved_bytes();
	struct page_stats stats;

	pages_trim(0);
	page_stats(&stats);
	FUZZ_EXPECT(stats.used[USE_RUN] == 0 && stats.used[USE_SLAB] == 0);
	FUZZ_EXPECT(stats.cached == 0);
	FUZZ_EXPECT(stats.free_dirty == 0);
	if (others_now > others && stats.zones == zones && !may_grow &&
	    !may_have_lost_addresses(has_new_zones))
		FUZZ_FAIL("%zu bytes are mapped that were not before",
			  others_now - others);
	zones = stats.zones;
	reserved = reserved_bytes();
	others = others_now;
	state.had_faults = false;
}

static void enter(void)
{
	if (fuzzer.is_inside_gate)
		FUZZ_EXPECT(gate_enter(GATE_BRIEFLY));
}

static void leave(void)
{
	if (fuzzer.is_inside_gate)
		gate_leave();
}

/* A thread that moves to another CPU meets other per-CPU lists, and the same
 * input would do other things. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	if (cpu >= 0)
		CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void start_once(void)
{
	if (state.is_started)
		return;
	state.is_started = true;
	state.is_traced = getenv("SM_FUZZ_TRACE") != NULL;
	stay_on_one_cpu();
	fuzzer.start();
}

/* One of the fuzzer's operations, or the end of an input that goes on. */
static void play_choice(struct input *input, size_t choice)
{
	if (choice < fuzzer.nr_operations) {
		fuzzer.operations[choice](input);
		return;
	}
	fuzz_end_faults();
	fuzz_trace("finish");
	fuzzer.finish();
}

/* Operation number @number. */
static void play_operation(struct input *input, unsigned int number)
{
	unsigned int choice = input_byte(input);
	bool had_faults;

	if ((choice & WITH_FAULTS) == WITH_FAULTS)
		begin_faults(input);
	enter();
	play_choice(input,
		    (choice & OPERATION_MASK) % (fuzzer.nr_operations + 1));
	had_faults = has_fault_fired();
	fuzz_end_faults();
	if (had_faults || number % CHECK_EVERY == 0)
		fuzzer.check();
	if (number % CHECK_BYTES_EVERY == 0)
		shadow_check();
	leave();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { .next = data, .end = data + size };

	start_once();
	for (unsigned int i = 1;
	     i <= OPERATIONS_MAX && !input_has_ended(&input); i++)
		play_operation(&input, i);
	enter();
	fuzzer.check();
	fuzzer.finish();
	fuzzer.check();
	leave();
	return 0;
}
