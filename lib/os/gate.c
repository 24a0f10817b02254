/* SPDX-License-Identifier: MIT */
/*
 * The gate that fork closes.
 *
 * It is a reader-writer lock for many readers and a rare writer. A reader
 * counts itself in one of a few stripes, then looks whether the gate is closed;
 * the writer closes it, then looks whether the stripes are empty. Both sides
 * store before they load, sequentially consistent, so one of them sees the
 * other.
 */
#include "os/gate.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "os/os.h"
#include "os/syscall.h"

enum {
	STRIPES = 16,
	/* How long a closed gate is waited for. A fork copies page tables in
	 * less; one that takes longer is likely waiting for the waiter. */
	PATIENCE_MS = 20,
	LONG_PATIENCE_MS = 10000,
	DRAIN_POLL_MS = 10, /* in case a wake-up went to an earlier closing */
	/* How often that is done, at most: longer than any code stays inside;
	 * and in a signal handler, where others may be waiting inside for the
	 * code that was interrupted, long enough for those who aren't. */
	DRAIN_POLLS = 1000,
	NESTED_POLLS = 20,
	NESTED_POLLS_ALONE = 2,
	HOLD_POLLS =
		100, /* of a millisecond: a look at a tree takes far less */
};

struct stripe {
	_Alignas(CACHE_LINE_BYTES) atomic_uint inside; /* [atomic] */
};

static struct {
	atomic_uint closed;	/* [atomic] futex of those who want in */
	atomic_uint departures; /* [atomic] futex of the one who closes */
	atomic_uint joined;	/* [atomic] deals out the stripes */
	atomic_uint quiet;	/* [atomic] number of this closing, once all are
				 * out; else 0 */
	atomic_uint holds;	/* [atomic] threads that read in the quiet */
	unsigned int closings;	/* [closed] so far */
	long pid;		/* [closed] of the process counted here */
	struct stripe stripes[STRIPES];
} gate;

static THREAD_LOCAL struct {
	unsigned char inside;  /* passed in, or on the way */
	unsigned char forks;   /* closings that this thread is in: a handler
				* that interrupts a fork may fork */
	unsigned char owner;   /* this thread holds the gate closed */
	unsigned char stripe;  /* 1 to STRIPES; 0: none dealt yet */
	unsigned int given_up; /* the closing that it waited for in vain */
} self;

static atomic_uint *own_stripe(void)
{
	if (unlikely(self.stripe == 0))
		self.stripe =
			(unsigned char)(atomic_fetch_add(&gate.joined, 1) %
						STRIPES +
					1);
	return &gate.stripes[self.stripe - 1].inside;
}

static void count_out(void)
{
	atomic_fetch_sub(own_stripe(), 1);
	if (unlikely(atomic_load(&gate.closed))) {
		atomic_fetch_add(&gate.departures, 1);
		os_futex_wake_all(&gate.departures);
	}
}

/* Only one's own interrupted code can be counted twice, or not at all. */
static int count_inside(void)
{
	int sum = 0;

	for (int i = 0; i < STRIPES; i++)
		sum += (int)atomic_load(&gate.stripes[i].inside);
	return sum;
}

static void end_quiet(void)
{
	unsigned int holds;

	atomic_store(&gate.quiet, 0);
	for (int polls = 0;
	     polls < HOLD_POLLS && (holds = atomic_load(&gate.holds));)
		polls += !os_futex_wait(&gate.holds, holds, 1);
}

bool gate_hold_quiet(void)
{
	atomic_fetch_add(&gate.holds, 1);
	if (atomic_load(&gate.quiet) != 0)
		return true;
	gate_release_quiet();
	return false;
}

void gate_release_quiet(void)
{
	atomic_fetch_sub(&gate.holds, 1);
}

/* The owner passes in and out, too: then it's another quiet than before. */
static void announce_quiet(void)
{
	gate.closings += gate.closings == UINT_MAX ? 2 : 1;
	atomic_store(&gate.quiet, gate.closings);
}

static COLD bool wait_until_open(enum gate_patience patience)
{
	static const unsigned int patience_ms[] = {
		[GATE_BRIEFLY] = PATIENCE_MS,
		[GATE_LONG] = LONG_PATIENCE_MS,
	};

	while (atomic_load(&gate.closed)) {
		unsigned int closing = atomic_load(&gate.quiet);

		if (patience == GATE_NOW ||
		    (patience == GATE_BRIEFLY && closing != 0 &&
		     closing == self.given_up))
			return false;
		if (!os_futex_wait(&gate.closed, 1, patience_ms[patience])) {
			self.given_up = closing;
			return false;
		}
	}
	return true;
}

bool gate_enter(enum gate_patience patience)
{
	if (unlikely(self.inside))
		return false;
	self.inside = 1;
	/* A signal handler that comes from here on is refused. */
	atomic_signal_fence(memory_order_seq_cst);

	for (;;) {
		atomic_fetch_add(own_stripe(), 1);
		if (likely(!atomic_load(&gate.closed)))
			return true;
		if (self.owner) {
			end_quiet();
			return true;
		}
		count_out();
		if (!wait_until_open(patience)) {
			self.inside = 0;
			return false;
		}
	}
}

void gate_leave(void)
{
	count_out();
	if (unlikely(self.owner) && count_inside() == 0)
		announce_quiet();
	atomic_signal_fence(memory_order_seq_cst);
	self.inside = 0;
}

bool gate_is_inside(void)
{
	return self.inside;
}

/*
 * A child inherits the marks of threads that it does not have. Its own, in a
 * signal handler that interrupted code inside, has most likely been counted.
 */
static void forget_ghosts(long pid)
{
	for (int i = 0; i < STRIPES; i++)
		atomic_store(&gate.stripes[i].inside, 0);
	if (self.inside)
		atomic_store(own_stripe(), 1);
	atomic_store(&gate.holds, 0);
	gate.pid = pid;
}

/*
 * Wait until nobody is inside; false if that doesn't come to pass. In a signal
 * handler that interrupted code inside, that code stays inside, and goes on in
 * parent and child alike; but whether it has been counted already can't be
 * told, so everybody is waited for at first.
 */
static bool wait_until_empty(void)
{
	int most = self.inside ? NESTED_POLLS : DRAIN_POLLS;

	for (int polls = 0; polls < most;) {
		unsigned int seen = atomic_load(&gate.departures);
		int inside = count_inside();

		if (inside <= 0)
			return !self.inside;
		if (self.inside && inside == 1 && polls >= NESTED_POLLS_ALONE)
			return false;
		polls += !os_futex_wait(&gate.departures, seen, DRAIN_POLL_MS);
	}
	return false;
}

static void take_gate(void)
{
	unsigned int expected = 0;

	while (!atomic_compare_exchange_strong(&gate.closed, &expected, 1)) {
		os_futex_wait(&gate.closed, 1, 0);
		expected = 0;
	}
	self.owner = 1;
}

void gate_close(void)
{
	long pid;

	if (self.forks++ > 0)
		return;
	take_gate();
	pid = os_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	if (gate.pid != 0 && gate.pid != pid)
		forget_ghosts(pid); /* a child that was not announced (_Fork) */
	gate.pid = pid;
	if (wait_until_empty())
		announce_quiet();
}

/* The outermost fork opens the gate. It is over only after that: a handler that
 * forks in between must not wait for a gate that it keeps closed itself. */
static void end_fork(void)
{
	if (self.forks == 1) {
		end_quiet();
		self.owner = 0;
		atomic_store(&gate.closed, 0);
	}
	self.forks--;
}

void gate_reopen(void)
{
	end_fork();
	os_futex_wake_all(&gate.closed);
}

void gate_reopen_child(void)
{
	forget_ghosts(os_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
	end_fork();
}
