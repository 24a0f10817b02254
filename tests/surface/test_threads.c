/* SPDX-License-Identifier: MIT */
/* The life of threads: keys, ends, cancellation, threads not of libc. */
#include "surface.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum {
	CHURN = 1000
};

static void run_thread(void *(*run)(void *), void *argument, void **ret_value)
{
	pthread_t thread;

	EXPECT_EQ(pthread_create(&thread, NULL, run, argument), 0);
	EXPECT_EQ(pthread_join(thread, ret_value), 0);
}

TEST(the_program_can_have_all_keys)
{
	pthread_key_t key;

	free(malloc(100));
	for (int i = 0; i < PTHREAD_KEYS_MAX; i++)
		EXPECT_EQ(pthread_key_create(&key, NULL), 0);
}

static void *allocate_some(void *argument)
{
	enum {
		BLOCKS = 100
	};
	void *block[BLOCKS];

	(void)argument;
	for (size_t i = 0; i < BLOCKS; i++)
		block[i] = memset(malloc(i * 20 + 1), 1, i * 20 + 1);
	for (size_t i = 1; i < BLOCKS; i++)
		free(block[i]);
	return block[0];
}

TEST(threads_that_come_and_go_leave_nothing)
{
	size_t before;
	void *block;

	for (int i = 0; i < CHURN; i++) {
		run_thread(allocate_some, NULL, &block);
		free(block);
	}
	before = resident_bytes();
	for (int i = 0; i < 3 * CHURN; i++) {
		run_thread(allocate_some, NULL, &block);
		free(block);
	}
	EXPECT(resident_bytes() < before + (1 << 20));
}

static pthread_key_t key;
static atomic_int rounds;

/* In every round of key destructors, and after the last of them by libc. */
static void allocate_at_end(void *value)
{
	free(value);
	free(malloc(3000));
	if (atomic_fetch_add(&rounds, 1) % PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(key, malloc(50));
	EXPECT(malloc(10) != NULL);
}

static void *end_with_key(void *argument)
{
	(void)argument;
	pthread_setspecific(key, malloc(200));
	return dlsym(NULL, "no such name") ? NULL : strdup("end");
}

TEST(a_thread_allocates_and_frees_to_its_very_end)
{
	void *value;

	EXPECT_EQ(pthread_key_create(&key, allocate_at_end), 0);
	for (int i = 0; i < CHURN; i++) {
		run_thread(end_with_key, NULL, &value);
		EXPECT_EQ(strcmp(value, "end"), 0);
		free(value);
	}
	EXPECT(rounds >= CHURN);
}

static void *fill(void *argument)
{
	void **block = argument;

	for (size_t i = 0; i < CHURN; i++) {
		block[i] = malloc(i + 1);
		stamp(block[i], i + 1, (unsigned int)i);
	}
	return NULL;
}

TEST(blocks_outlive_the_thread_that_made_them)
{
	static void *block[CHURN];

	for (int round = 0; round < 20; round++) {
		run_thread(fill, block, NULL);
		for (size_t i = 0; i < CHURN; i++) {
			EXPECT(is_stamped(block[i], i + 1, (unsigned int)i));
			free(block[i]);
		}
	}
}

static atomic_int cancel_ready;

static void *wait_for_cancel(void *argument)
{
	(void)argument;
	for (;;) {
		void *block = malloc(64), *large = malloc(3 << 20);

		cancel_ready = 1;
		free(block);
		free(large);
		pthread_testcancel();
	}
	return NULL;
}

TEST(a_cancelled_thread_leaves_no_lock_behind)
{
	DEADLINE(120);
	for (int i = 0; i < 500; i++) {
		pthread_t thread;
		void *value;

		cancel_ready = 0;
		pthread_create(&thread, NULL, wait_for_cancel, NULL);
		while (!cancel_ready)
			sched_yield();
		pthread_cancel(thread);
		free(malloc(3 << 20));
		EXPECT_EQ(pthread_join(thread, &value), 0);
		EXPECT_EQ(value, PTHREAD_CANCELED);
		free(malloc(64));
	}
}

static atomic_bool came_through;

static void *use_all_while_cancelled(void *argument)
{
	(void)argument;
	pthread_cancel(pthread_self());
	for (size_t size = 1; size < 64 << 20; size *= 3) {
		void *block = calloc(1, size);

		block = realloc(block, 2 * size);
		EXPECT(malloc_usable_size(block) >= 2 * size);
		free(block);
		free(memalign(256, size));
	}
	malloc_trim(0);
	EXPECT(mallinfo2().arena > 0);
	malloc_stats();
	came_through = true;
	pthread_testcancel();
	return NULL;
}

TEST(nothing_of_the_family_is_a_cancellation_point)
{
	void *value;
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	run_thread(use_all_while_cancelled, NULL, &value);
	EXPECT_EQ(value, PTHREAD_CANCELED);
	EXPECT(came_through);
}

#if defined(__x86_64__)

/*
 * Threads that libc doesn't know of: no rseq registration, thread-locals fresh
 * from their image.
 */
struct raw_thread {
	atomic_int id; /* zero when it has ended */
	int tag;
	bool failed;
};

/* Hold many blocks at a time: what two threads were given shows in its bytes.
 */
static int run_raw_thread(void *argument)
{
	enum {
		HELD = 64,
		SIZES = 4
	};
	struct raw_thread *thread = argument;
	unsigned int tag = (unsigned int)thread->tag;
	char *held[HELD] = { NULL };

	for (int i = 0; i < 1000000; i++) {
		size_t size = (size_t)16 << i % SIZES;
		char **block = &held[i % HELD];

		if (*block && !is_stamped(*block, size, tag))
			thread->failed = true;
		free(*block);
		*block = malloc(size);
		stamp(*block, size, tag);
	}
	for (int i = 0; i < HELD; i++)
		free(held[i]);
	syscall(SYS_exit, 0);
	return 0;
}

/* A thread control block as libc makes them, of which only its own address
 * and the two guards have to be there. */
static void *make_tls(void)
{
	void *(*allocate)(void *) =
		(void *(*)(void *))dlsym(RTLD_DEFAULT, "_dl_allocate_tls");
	uintptr_t *block = allocate ? allocate(NULL) : NULL;

	if (!block)
		SKIP("no _dl_allocate_tls()");
	block[0] = (uintptr_t)block;
	block[2] = (uintptr_t)block;
	__asm__("mov %%fs:0x28, %0" : "=r"(block[5]));
	__asm__("mov %%fs:0x30, %0" : "=r"(block[6]));
	return block;
}

static void start_raw_thread(struct raw_thread *thread)
{
	enum {
		STACK = 1 << 18
	};
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	thread->id = -1;
	EXPECT(clone(run_raw_thread, stack + STACK,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			     CLONE_THREAD | CLONE_SETTLS | CLONE_SYSVSEM |
			     CLONE_CHILD_CLEARTID,
		     thread, NULL, make_tls(), &thread->id) > 0);
}

static void join_raw_thread(struct raw_thread *thread)
{
	int id;

	while ((id = thread->id) != 0)
		syscall(SYS_futex, &thread->id, FUTEX_WAIT, id, NULL, NULL, 0);
}

TEST(threads_by_raw_clone_allocate)
{
	struct raw_thread raw[3] = { { 0 } };
	void *block;

	EXPECT_OURS();
	DEADLINE(120);
	for (int i = 0; i < 3; i++) {
		raw[i].tag = i + 1;
		start_raw_thread(&raw[i]);
	}
	for (int i = 0; i < 300; i++) {
		run_thread(allocate_some, NULL, &block);
		free(block);
	}
	for (int i = 0; i < 3; i++) {
		join_raw_thread(&raw[i]);
		EXPECT(!raw[i].failed);
	}
}

#endif
