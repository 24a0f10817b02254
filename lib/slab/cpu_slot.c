/* SPDX-License-Identifier: MIT */
/*
 * Fallback slots: per-CPU arrays for threads that can't run restartable
 * sequences (no rseq in the kernel or in libc, a seccomp filter, valgrind,
 * qemu-user, a raw clone).
 *
 * There are twice as many slots as CPUs. Each is a region like a CPU's, but one
 * thread has it at a time. A thread keeps to one slot as long as nobody is in
 * its way, then moves on to the next; if all are busy it does without.
 */
#include "slab/cpu_array.h"

enum {
	SLOTS_PER_CPU = 2,
	SLOTS_MAX = 256,
	/* Milliseconds that a drain waits for a slot. In a signal handler it
	 * may wait for the code that it interrupted. */
	DRAIN_TIMEOUTS = 20,
};

/*
 * Not a struct lock: nobody waits for one, so it can be had outside of the gate
 * and in a signal handler. A fork may leave some taken, and the child frees
 * them: see commit_top() in cpu_array.c.
 */
struct slot {
	_Alignas(CACHE_LINE_BYTES) atomic_uint taken; /* [atomic] 0, or whose */
};

static struct {
	struct slot slots[SLOTS_MAX];
	atomic_uint joined; /* [atomic] deals out the slots */
} fallback COLD_DATA;

static THREAD_LOCAL unsigned int own_slot; /* one more than its number */

unsigned int cpu_slots(void)
{
	unsigned int wanted = SLOTS_PER_CPU * os_cpu_limit();

	return wanted < SLOTS_MAX ? wanted : SLOTS_MAX;
}

/* A number that no other thread has, nor 0. */
static unsigned int own_name(void)
{
	return (unsigned int)((uintptr_t)__builtin_thread_pointer() >> 4) | 1;
}

void cpu_slots_forget_others(void)
{
	for (unsigned int slot = 0; slot < cpu_slots(); slot++) {
		if (atomic_load(&fallback.slots[slot].taken) != own_name())
			atomic_store(&fallback.slots[slot].taken, 0);
	}
}

static bool take_slot(unsigned int slot)
{
	unsigned int nobody = 0;

	return atomic_compare_exchange_strong_explicit(
		&fallback.slots[slot].taken, &nobody, own_name(),
		memory_order_acquire, memory_order_relaxed);
}

static struct cpu_region *region_of(unsigned int slot)
{
	return cpu_region_at((long)os_cpu_limit() + slot);
}

struct cpu_region *cpu_slot_lock(void)
{
	unsigned int count = cpu_slots();
	/* A signal handler may move this thread to another slot meanwhile. */
	unsigned int slot = own_slot;

	if (slot == 0)
		slot = atomic_fetch_add(&fallback.joined, 1) % count + 1;
	for (unsigned int tries = 0; tries < count; tries++) {
		if (take_slot(slot - 1)) {
			own_slot = slot;
			return region_of(slot - 1);
		}
		slot = slot % count + 1;
	}
	return NULL;
}

struct cpu_region *cpu_slot_lock_at(unsigned int slot)
{
	atomic_uint *taken = &fallback.slots[slot].taken;

	for (int timeouts = 0; timeouts < DRAIN_TIMEOUTS;) {
		unsigned int owner;

		if (take_slot(slot))
			return region_of(slot);
		owner = atomic_load(taken);
		if (owner != 0)
			timeouts += !os_futex_wait(taken, owner, 1);
	}
	return NULL;
}

void cpu_slot_unlock(struct cpu_region *region)
{
	size_t offset = (size_t)((char *)region - cpu_regions);
	size_t slot = (offset >> CPU_REGION_SHIFT) - os_cpu_limit();

	atomic_store_explicit(&fallback.slots[slot].taken, 0,
			      memory_order_release);
}
