/* SPDX-License-Identifier: MIT */
/* The index of the CPU: which there are, who may use one, and that it's true.
 */
#include "os/os.h"

#include <pthread.h>
#include <sched.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

#include "test.h"

enum {
	RSEQ_LENGTH = 32
};

static const enum cpu_index every_index[] = { CPU_INDEX_AUTO, CPU_INDEX_CPU_ID,
					      CPU_INDEX_MM_CID,
					      CPU_INDEX_NONE };

static void need_rseq(enum cpu_index wanted)
{
	os_cpu_init(wanted);
	if (os_cpu_index() == CPU_INDEX_NONE)
		SKIP("no restartable sequences here");
}

TEST(limit_is_above_every_cpu)
{
	cpu_set_t set;

	os_cpu_init(CPU_INDEX_AUTO);
	EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		EXPECT(!CPU_ISSET(cpu, &set) || cpu < os_cpu_limit());
	EXPECT(os_cpu_limit() >= sysconf(_SC_NPROCESSORS_CONF));
}

TEST(wanted_index_is_chosen_or_one_that_is_there)
{
	os_cpu_init(CPU_INDEX_NONE);
	EXPECT_EQ(os_cpu_index(), CPU_INDEX_NONE);
	need_rseq(CPU_INDEX_AUTO);
	EXPECT(os_cpu_index() != CPU_INDEX_AUTO);
	os_cpu_init(CPU_INDEX_CPU_ID);
	EXPECT_EQ(os_cpu_index(), CPU_INDEX_CPU_ID);
	os_cpu_init(CPU_INDEX_MM_CID);
	EXPECT(os_cpu_index() == CPU_INDEX_MM_CID ||
	       os_cpu_index() == CPU_INDEX_CPU_ID);
}

TEST(hint_is_below_the_limit_attached_or_not)
{
	for (size_t i = 0; i < ARRAY_SIZE(every_index); i++) {
		os_cpu_init(every_index[i]);
		EXPECT(os_cpu_hint() < os_cpu_limit());
		os_rseq_attach();
		EXPECT(os_cpu_hint() < os_cpu_limit());
		os_rseq_detach();
		EXPECT(os_cpu_hint() < os_cpu_limit());
	}
}

TEST(cpu_id_is_the_cpu_this_thread_is_on)
{
	cpu_set_t all, one;

	need_rseq(CPU_INDEX_CPU_ID);
	EXPECT(os_rseq_attach());
	EXPECT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		EXPECT_EQ(os_cpu_hint(), cpu);
	}
}

TEST(no_thread_attaches_if_no_index_is_wanted)
{
	os_cpu_init(CPU_INDEX_NONE);
	EXPECT(!os_rseq_attach());
	EXPECT(!os_rseq_is_attached());
}

static void *attach_and_detach(void *unused)
{
	EXPECT(!os_rseq_is_attached());
	EXPECT(os_rseq_attach());
	EXPECT(os_rseq_is_attached());
	os_rseq_detach();
	EXPECT(!os_rseq_is_attached());
	return unused;
}

TEST(each_thread_attaches_for_itself)
{
	pthread_t thread;

	need_rseq(CPU_INDEX_AUTO);
	EXPECT(!os_rseq_is_attached());
	os_rseq_attach_first();
	EXPECT(os_rseq_is_attached());
	pthread_create(&thread, NULL, attach_and_detach, NULL);
	pthread_join(thread, NULL);
	EXPECT(os_rseq_is_attached());
}

/* What a thread is that libc did not make, or that runs on an old kernel. */
static void unregister_thread(void)
{
	struct rseq_area *area =
		(void *)((char *)__builtin_thread_pointer() + __rseq_offset);

	if (syscall(SYS_rseq, area, RSEQ_LENGTH, RSEQ_FLAG_UNREGISTER,
		    RSEQ_SIG) < 0)
		SKIP("libc's registration cannot be undone");
}

TEST(unregistered_thread_does_not_attach)
{
	need_rseq(CPU_INDEX_AUTO);
	unregister_thread();
	EXPECT(!os_rseq_attach());
	EXPECT(!os_rseq_is_attached());
	EXPECT(os_cpu_hint() < os_cpu_limit());
}

static void *attach_unregistered(void *ret_attached)
{
	unregister_thread();
	/* Nobody keeps the index up to date, so it may look like any. */
	((struct rseq_area *)((char *)__builtin_thread_pointer() +
			      __rseq_offset))
		->cpu_id = 0;
	*(bool *)ret_attached = os_rseq_attach();
	return NULL;
}

TEST(stale_index_of_an_unregistered_thread_is_not_believed)
{
	pthread_t thread;
	bool attached = true;

	need_rseq(CPU_INDEX_AUTO);
	pthread_create(&thread, NULL, attach_unregistered, &attached);
	pthread_join(thread, NULL);
	EXPECT(!attached);
}

TEST(process_without_registration_uses_no_index)
{
	need_rseq(CPU_INDEX_AUTO);
	unregister_thread();
	os_cpu_init(CPU_INDEX_AUTO);
	EXPECT_EQ(os_cpu_index(), CPU_INDEX_NONE);
}

TEST(fence_works_wherever_an_index_is_used)
{
	need_rseq(CPU_INDEX_AUTO);
	EXPECT(os_cpu_fence());
}

TEST(clock_never_runs_backwards)
{
	uint64_t start = os_coarse_ms(), last = start;

	/* It steps, so this ends. */
	while (last < start + 20) {
		uint64_t now = os_coarse_ms();

		EXPECT(now >= last);
		last = now;
	}
}
