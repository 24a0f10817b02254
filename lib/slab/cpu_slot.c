/* SPDX-License-Identifier: MIT */
/*
 * Fallback slots: per-CPU arrays for threads that can't run restartable
 * sequences (no rseq in the kernel or in libc, a seccomp filter, valgrind,
 * qemu-user, a raw clone).
 *
 * There are a few more slots than CPUs. Each is a region like a CPU's, but
 * under a lock. A thread keeps to one slot as long as nobody is in its way,
 * then moves on to the next.
 */
#include "slab/cpu_array.h"

enum {
	SLOTS_PER_CPU = 2,
	SLOTS_MAX = 256,
};

struct slot_lock {
	_Alignas(CACHE_LINE_BYTES) struct lock lock;
};

static struct {
	struct slot_lock locks[SLOTS_MAX];
	atomic_uint joined; /* [atomic] deals out the slots */
} slots;

static THREAD_LOCAL unsigned int own_slot; /* one more than its number */

unsigned int cpu_slots(void)
{
	unsigned int wanted = SLOTS_PER_CPU * os_cpu_limit();

	return wanted < SLOTS_MAX ? wanted : SLOTS_MAX;
}

static struct lock *lock_of(unsigned int slot)
{
	struct lock *lock = &slots.locks[slot].lock;

	lock->rank = RANK_SLOT;
	return lock;
}

/* The number of a slot that this thread has locked now. */
static unsigned int lock_some_slot(void)
{
	unsigned int count = cpu_slots();

	if (own_slot == 0)
		own_slot = atomic_fetch_add(&slots.joined, 1) % count + 1;
	for (unsigned int tries = 0; tries < count; tries++) {
		if (lock_try(lock_of(own_slot - 1)))
			return own_slot - 1;
		own_slot = own_slot % count + 1;
	}
	lock_acquire(lock_of(own_slot - 1));
	return own_slot - 1;
}

static struct cpu_region *region_of(unsigned int slot)
{
	return cpu_region_at((long)os_cpu_limit() + slot);
}

struct cpu_region *cpu_slot_lock(void)
{
	return region_of(lock_some_slot());
}

struct cpu_region *cpu_slot_lock_at(unsigned int slot)
{
	lock_acquire(lock_of(slot));
	return region_of(slot);
}

void cpu_slot_unlock(struct cpu_region *region)
{
	size_t offset = (size_t)((char *)region - cpu_regions);

	lock_release(lock_of((unsigned int)(offset >> CPU_REGION_SHIFT) -
			     os_cpu_limit()));
}
