/* SPDX-License-Identifier: MIT */
/*
 * Wake the layers in order, at the first call, from wherever that comes: the
 * dynamic linker, another library's constructor, a thread.
 */
#include <pthread.h>

#include "heap/heap.h"

enum {
	DOWN,
	WAKING,
	WAITED_FOR,
	UP
};

static atomic_uint state; /* [atomic] */

bool heap_is_up;

/* The page size asked for, as a shift; 0 for the system's. */
static unsigned int wanted_page_shift(void)
{
	long bytes = option_value(OPTION_PAGE);

	return is_power_of_two((size_t)bytes) ? floor_log2((size_t)bytes) : 0;
}

/* Each step may have been taken already, in an attempt that failed later. */
static bool wake_layers(void)
{
	struct page_options pages;

	options_read();
	os_page_size_init(wanted_page_shift());
	os_cpu_init((enum cpu_index)option_value(OPTION_INDEX));
	pages = (struct page_options){
		.window = (size_t)option_value(OPTION_WINDOW),
		.retain = (size_t)option_value(OPTION_RETAIN),
		.huge = (size_t)option_value(OPTION_HUGE),
		.cpus = os_cpu_limit(),
	};
	if (page_init(&pages) && slab_init())
		return true;
	/* The hot paths must not look for the arrays that there aren't. */
	os_rseq_detach();
	return false;
}

/* Another thread may be at it. */
static void wait_until_awake(void)
{
	unsigned int seen = WAKING;

	atomic_compare_exchange_strong(&state, &seen, WAITED_FOR);
	while (atomic_load(&state) == WAITED_FOR)
		os_futex_wait(&state, WAITED_FOR, 0);
}

bool heap_init(void)
{
	unsigned int expected = DOWN;

	if (atomic_compare_exchange_strong(&state, &expected, WAKING)) {
		bool ok = wake_layers();

		heap_tick_later();
		__atomic_store_n(&heap_is_up, ok, __ATOMIC_RELEASE);
		/* Without memory it's tried again at the next call. */
		if (atomic_exchange(&state, ok ? UP : DOWN) == WAITED_FOR)
			os_futex_wake_all(&state);
	}
	wait_until_awake();
	return heap_is_up;
}

static void reopen_in_child(void)
{
	cpu_slots_forget_others();
	gate_reopen_child();
}

/* Not in heap_init(): that may run before libc is ready for this. No lock is
 * held over a fork, so the order of the handlers doesn't matter. */
__attribute__((constructor(101))) static void register_fork_handlers(void)
{
	heap_ready();
	pthread_atfork(gate_close, gate_reopen, reopen_in_child);
}

__attribute__((destructor)) static void report_at_exit(void)
{
	stats_report();
}

void sm_before_vfork(void)
{
	os_rseq_detach();
}

void sm_trim_reservation(void)
{
	if (!heap_ready() || !gate_enter(GATE_LONG))
		return;
	pages_give_back_addresses();
	gate_leave();
}
