/* SPDX-License-Identifier: MIT */
/* Locks: one holder at a time, nobody left asleep, and the order of ranks. */
#include "os/os.h"

#include <pthread.h>

#include "test.h"

static struct {
	struct lock lock;
	unsigned long count; /* [lock] */
	atomic_int ready;
} shared = { .lock = LOCK_INIT(RANK_CACHE) };

enum {
	THREADS = 8,
	ROUNDS = 20000
};

static void *count_up(void *unused)
{
	atomic_fetch_add(&shared.ready, 1);
	for (int i = 0; i < ROUNDS; i++) {
		lock_acquire(&shared.lock);
		shared.count++;
		/* So that others find it held, and sleep. */
		if (i % 256 == 0)
			sched_yield();
		lock_release(&shared.lock);
	}
	return unused;
}

TEST(threads_beyond_the_cpus_count_exactly)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, count_up, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(shared.count, (unsigned long)THREADS * ROUNDS);
	EXPECT(!lock_is_held(&shared.lock));
}

static void *take_once(void *unused)
{
	atomic_fetch_add(&shared.ready, 1);
	lock_acquire(&shared.lock);
	shared.count++;
	lock_release(&shared.lock);
	return unused;
}

TEST(all_who_wait_are_woken)
{
	pthread_t thread[THREADS];

	lock_acquire(&shared.lock);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, take_once, NULL);
	while (atomic_load(&shared.ready) < THREADS)
		sched_yield();
	EXPECT_EQ(shared.count, 0);
	lock_release(&shared.lock);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(shared.count, THREADS);
}

static void *try_once(void *ret_taken)
{
	*(bool *)ret_taken = lock_try(&shared.lock);
	return NULL;
}

static bool other_thread_can_take(void)
{
	pthread_t thread;
	bool taken = false;

	pthread_create(&thread, NULL, try_once, &taken);
	pthread_join(thread, NULL);
	return taken;
}

TEST(held_lock_cannot_be_tried)
{
	EXPECT(lock_try(&shared.lock));
	EXPECT(lock_is_held(&shared.lock));
	EXPECT(!other_thread_can_take());
	EXPECT(!lock_acquire_if(&shared.lock, false));
	lock_release(&shared.lock);
	EXPECT(!lock_is_held(&shared.lock));
	EXPECT(lock_acquire_if(&shared.lock, true));
	EXPECT(!other_thread_can_take());
	lock_release(&shared.lock);
	EXPECT(other_thread_can_take());
}

TEST(ranks_may_be_taken_in_their_order)
{
	struct lock lock[RANK_COUNT];

	for (int i = 0; i < RANK_COUNT; i++) {
		lock_init(&lock[i], (enum lock_rank)i);
		lock_acquire(&lock[i]);
	}
	/* and given back in any */
	for (int i = 0; i < RANK_COUNT; i++)
		lock_release(&lock[i]);
	lock_acquire(&lock[0]);
}

static int take_both(enum lock_rank first, enum lock_rank second)
{
	struct lock a, b;

	lock_init(&a, first);
	lock_init(&b, second);
	lock_acquire(&a);
	lock_acquire(&b);
	return 0;
}

TEST(order_of_ranks_is_checked_in_builds_with_checks)
{
	if (SM_CHECKS < 1)
		SKIP("needs -Dchecks=cheap");
	EXPECT_PANIC("lock order violated", take_both(RANK_ZONE, RANK_CACHE));
	EXPECT_PANIC("lock order violated", take_both(RANK_HEAP, RANK_CACHES));
	EXPECT_PANIC("lock order violated", take_both(RANK_BARN, RANK_BARN));
}

TEST(futex_wait_ends_if_the_word_has_changed_or_the_time_is_up)
{
	atomic_uint word = 1;

	EXPECT(os_futex_wait(&word, 2, 0));
	EXPECT(!os_futex_wait(&word, 1, 1));
}

static void *wait_for_go(void *word)
{
	atomic_fetch_add(&shared.ready, 1);
	while (atomic_load((atomic_uint *)word) == 0)
		os_futex_wait(word, 0, 0);
	return NULL;
}

TEST(futex_wakes_all)
{
	pthread_t thread[THREADS];
	atomic_uint word = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, wait_for_go, &word);
	while (atomic_load(&shared.ready) < THREADS)
		sched_yield();
	atomic_store(&word, 1);
	os_futex_wake_all(&word);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}
