/* SPDX-License-Identifier: MIT */
/* The gate: who gets in, who is told to do without, and what closing waits for.
 */
#include "os/os.h"

#include <pthread.h>

#include "test.h"

static struct {
	atomic_bool inside; /* the other thread is in */
	atomic_bool leave;  /* and may go */
	atomic_int left;    /* threads that have gone */
	atomic_int inside_count;
	atomic_ulong passes;
	atomic_bool stop;
	atomic_bool refused; /* the signal handler was */
	atomic_bool handled;
} shared;

static void *stay_inside(void *unused)
{
	EXPECT(gate_enter(GATE_BRIEFLY));
	atomic_store(&shared.inside, true);
	while (!atomic_load(&shared.leave))
		sched_yield();
	atomic_fetch_add(&shared.left, 1);
	gate_leave();
	return unused;
}

static void *enter_once(void *ret_entered)
{
	bool wait = *(bool *)ret_entered;
	bool entered = gate_enter(wait);

	if (entered)
		gate_leave();
	*(bool *)ret_entered = entered;
	return NULL;
}

static bool other_thread_can_enter(bool wait)
{
	pthread_t thread;
	bool entered = wait;

	pthread_create(&thread, NULL, enter_once, &entered);
	pthread_join(thread, NULL);
	return entered;
}

TEST(open_gate_lets_many_in_at_once)
{
	EXPECT(!gate_is_inside());
	EXPECT(gate_enter(GATE_NOW));
	EXPECT(gate_is_inside());
	EXPECT(other_thread_can_enter(false));
	EXPECT(other_thread_can_enter(true));
	gate_leave();
	EXPECT(!gate_is_inside());
}

static void enter_in_handler(int number)
{
	(void)number;
	atomic_store(&shared.refused, !gate_enter(GATE_BRIEFLY));
	atomic_store(&shared.handled, true);
}

TEST(signal_handler_that_interrupts_the_inside_is_refused)
{
	signal(SIGUSR1, enter_in_handler);
	EXPECT(gate_enter(GATE_BRIEFLY));
	raise(SIGUSR1);
	EXPECT(atomic_load(&shared.handled));
	EXPECT(atomic_load(&shared.refused));
	EXPECT(gate_is_inside());
	gate_leave();
	EXPECT(gate_enter(GATE_BRIEFLY));
	gate_leave();
}

TEST(signal_handler_outside_gets_in)
{
	signal(SIGUSR1, enter_in_handler);
	raise(SIGUSR1);
	EXPECT(atomic_load(&shared.handled));
	EXPECT(!atomic_load(&shared.refused));
}

static void *open_the_way_out(void *unused)
{
	/* Likely the gate is being closed by now; the test holds either way. */
	for (int i = 0; i < 1000; i++)
		sched_yield();
	atomic_store(&shared.leave, true);
	return unused;
}

TEST(closing_waits_for_those_inside)
{
	pthread_t thread, opener;

	pthread_create(&thread, NULL, stay_inside, NULL);
	while (!atomic_load(&shared.inside))
		sched_yield();
	pthread_create(&opener, NULL, open_the_way_out, NULL);
	gate_close();
	EXPECT_EQ(atomic_load(&shared.left), 1);
	gate_reopen();
	pthread_join(thread, NULL);
	pthread_join(opener, NULL);
}

TEST(closed_gate_lets_its_closer_in_and_nobody_else)
{
	gate_close();
	EXPECT(gate_enter(GATE_BRIEFLY));
	EXPECT(gate_is_inside());
	gate_leave();
	EXPECT(gate_enter(GATE_NOW));
	gate_leave();
	EXPECT(!other_thread_can_enter(false));
	EXPECT(!other_thread_can_enter(true)); /* after some patience */
	gate_reopen();
	EXPECT(other_thread_can_enter(false));
	EXPECT(other_thread_can_enter(true));
	EXPECT(gate_enter(GATE_NOW));
	gate_leave();
}

TEST(gate_can_be_closed_from_inside)
{
	EXPECT(gate_enter(GATE_BRIEFLY));
	gate_close();
	EXPECT(gate_is_inside());
	EXPECT(!other_thread_can_enter(false));
	gate_reopen();
	gate_leave();
	EXPECT(other_thread_can_enter(false));
	gate_close();
	gate_reopen();
}

static void *pass_until_stopped(void *unused)
{
	while (!atomic_load(&shared.stop)) {
		if (!gate_enter(GATE_BRIEFLY))
			continue;
		atomic_fetch_add(&shared.inside_count, 1);
		atomic_fetch_add(&shared.passes, 1);
		atomic_fetch_sub(&shared.inside_count, 1);
		gate_leave();
	}
	return unused;
}

TEST(nobody_is_inside_while_it_is_closed)
{
	enum {
		THREADS = 6,
		CLOSINGS = 30
	};
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, pass_until_stopped, NULL);
	for (int i = 0; i < CLOSINGS; i++) {
		unsigned long passes;

		gate_close();
		passes = atomic_load(&shared.passes);
		EXPECT_EQ(atomic_load(&shared.inside_count), 0);
		sched_yield();
		EXPECT_EQ(atomic_load(&shared.passes), passes);
		gate_reopen();
		sched_yield();
	}
	atomic_store(&shared.stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	gate_close();
	gate_reopen();
}

static void *close_and_reopen(void *unused)
{
	for (int i = 0; i < 100; i++) {
		gate_close();
		EXPECT_EQ(atomic_fetch_add(&shared.inside_count, 1), 0);
		EXPECT_EQ(atomic_fetch_sub(&shared.inside_count, 1), 1);
		gate_reopen();
	}
	return unused;
}

TEST(two_who_close_it_take_turns)
{
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, close_and_reopen, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	EXPECT(gate_enter(GATE_NOW));
	gate_leave();
}

/* fork with the gate closed around it; the child's status. */
static int status_of_child(int (*live)(void))
{
	int status = -1;
	pid_t child;

	gate_close();
	child = fork();
	if (child == 0) {
		gate_reopen_child();
		_exit(live());
	}
	gate_reopen();
	waitpid(child, &status, 0);
	return status;
}

static int pass_and_close(void)
{
	if (!gate_enter(GATE_NOW))
		return 1;
	gate_leave();
	gate_close();
	gate_reopen();
	return 0;
}

TEST(child_of_a_threaded_process_goes_on)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, pass_until_stopped, NULL);
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(status_of_child(pass_and_close), 0);
	atomic_store(&shared.stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

TEST(unannounced_child_does_not_wait_for_threads_it_has_not)
{
	pthread_t thread;
	int status = -1;
	pid_t child;

	gate_close(); /* so that the process is known */
	gate_reopen();
	pthread_create(&thread, NULL, stay_inside, NULL);
	while (!atomic_load(&shared.inside))
		sched_yield();
	child = fork();
	if (child == 0)
		_exit(pass_and_close());
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
	atomic_store(&shared.leave, true);
	pthread_join(thread, NULL);
}
