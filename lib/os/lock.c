/* SPDX-License-Identifier: MIT */
/* A futex mutex, and the check of the lock order. */
#include "os/lock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "os/os.h"
#include "os/syscall.h"

enum {
	FREE,
	HELD,
	CONTENDED
};

enum {
	SPINS = 100
}; /* sections are short; a futex call costs far more */

/* Ranks this thread holds, as bits; kept in builds with checks only. */
static THREAD_LOCAL unsigned int held_ranks;

static void note_acquired(const struct lock *lock)
{
	if (SM_CHECKS < 1)
		return;
	if (held_ranks >> lock->rank)
		panic("lock order violated", lock);
	held_ranks |= 1u << lock->rank;
}

static void note_released(const struct lock *lock)
{
	if (SM_CHECKS < 1)
		return;
	held_ranks &= ~(1u << lock->rank);
}

bool os_futex_wait(atomic_uint *word, unsigned int value,
		   unsigned int timeout_ms)
{
	struct timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * 1000000,
	};
	long ret =
		os_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value,
			(long)(timeout_ms ? &timeout : NULL), 0, 0);

	return ret != -ETIMEDOUT;
}

void os_futex_wake_all(atomic_uint *word)
{
	os_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

static void relax_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static bool take_if_free(struct lock *lock)
{
	unsigned int expected = FREE;

	return atomic_compare_exchange_strong_explicit(
		&lock->state, &expected, HELD, memory_order_acquire,
		memory_order_relaxed);
}

static COLD void wait_for_lock(struct lock *lock)
{
	for (int i = 0; i < SPINS; i++) {
		relax_cpu();
		if (!lock_is_held(lock) && take_if_free(lock))
			return;
	}
	while (atomic_exchange_explicit(&lock->state, CONTENDED,
					memory_order_acquire) != FREE)
		os_futex_wait(&lock->state, CONTENDED, 0);
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
	atomic_init(&lock->state, FREE);
	lock->rank = rank;
}

bool lock_try(struct lock *lock)
{
	if (!take_if_free(lock))
		return false;
	note_acquired(lock);
	return true;
}

void lock_acquire(struct lock *lock)
{
	if (unlikely(!take_if_free(lock)))
		wait_for_lock(lock);
	note_acquired(lock);
}

bool lock_acquire_if(struct lock *lock, bool wait)
{
	if (!wait)
		return lock_try(lock);
	lock_acquire(lock);
	return true;
}

void lock_release(struct lock *lock)
{
	note_released(lock);
	if (unlikely(atomic_exchange_explicit(&lock->state, FREE,
					      memory_order_release) ==
		     CONTENDED))
		os_call(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, 1, 0,
			0, 0);
}
