/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU arrays of free objects: the main sheaf of each cache on each CPU.
 *
 * Every CPU has a region of addresses; it starts with one header for each cache
 * number, and the slots of all of them follow. An array holds its objects in
 * the slots from begin up to count, and has room up to end.
 *
 *	region of CPU 0           region of CPU 1
 *	[hdr 0][hdr 1]..[hdr 255][slots of cache 1][slots of cache 2]..
 *	         |                ^begin   ^count ^end
 *	         +----------------+
 *
 * Who may touch a region: restartable sequences on its own CPU, and a drain
 * (drain.c), between its fences. Nobody else. A sequence reads the CPU index,
 * does its work, and commits by one store: if the thread is preempted,
 * migrated or interrupted by a signal before that store, the kernel restarts
 * it from the top and nothing has happened.
 *
 * Zeroed memory is an array that is empty and full at once, so untouched
 * regions need no set-up: the first access goes to the slow path, which opens
 * the array. The same holds for cache 0 ("none"), which is never opened, and
 * for CPU -1, the index that unregistered threads read. A drain closes an array
 * with a begin above and an end below any count. So the two compares that an
 * array needs anyway, "empty?" and "full?", answer every other question, too.
 *
 * Threads without rseq use the same regions behind the CPUs', under locks: see
 * cpu_slot.c.
 */
#ifndef SLAB_CPU_ARRAY_H
#define SLAB_CPU_ARRAY_H

#include "page/page.h"

enum {
	CPU_REGION_SHIFT = 17, /* 128 KiB of addresses a CPU */
	CPU_REGION_BYTES = 1 << CPU_REGION_SHIFT,
	CPU_REGION_SLOTS = CPU_REGION_BYTES / sizeof(void *),
	CPU_ARRAYS = 256, /* cache numbers: what a byte of the map can tell */
};

/* Counts are slot numbers in the region. [cpu], or a drain. */
struct cpu_array {
	uint32_t count; /* one past the last object */
	uint32_t begin; /* the first slot; fixed once opened, but for drains */
	uint32_t end;	/* one past the last slot that may be used */
	uint32_t saved; /* end, while a drain has the array closed */
};

static_assert(sizeof(struct cpu_array) == 16, "the sequences shift by four");

/* Region of CPU 0; other CPUs', and that of CPU -1, lie around it. */
extern char *cpu_regions __attribute__((visibility("hidden")));

/* Make the regions; false if there's no memory for them. */
bool cpu_arrays_init(void);

#if defined(__x86_64__)
#include "slab/cpu_array_x86_64.h"
#else
#include "slab/cpu_array_generic.h"
#endif

/*
 * Move up to @count objects from the top of this CPU's array @id to @objects,
 * or from @objects into it; how many were moved. For threads that can't run
 * sequences they use a fallback slot. Inside the gate.
 */
unsigned int cpu_array_take(unsigned int id, void **objects,
			    unsigned int count);
unsigned int cpu_array_give(unsigned int id, void *const *objects,
			    unsigned int count);

/*
 * Give array @id @limit slots in every region, the first time; later calls
 * with the same @id change nothing. How many it has: fewer, or none, when the
 * regions are full.
 */
unsigned int cpu_array_assign(unsigned int id, unsigned int limit);

/* The first slot of array @id. */
unsigned int cpu_array_first(unsigned int id);

/*
 * Make room for more objects in this CPU's array @id: twice what it has, up to
 * the slots that were assigned; opens it if it's closed. Returns the room there
 * is now. Inside the gate.
 */
unsigned int cpu_array_grow(unsigned int id);

/*
 * Empty the arrays @id (0: of all caches) of all CPUs and slots: @sink gets the
 * objects. False if the system has no fence; then only the slots are empty.
 * The caller holds the lock of rank RANK_CACHES.
 */
typedef void (*cpu_array_sink)(unsigned int id, void *const *objects,
			       unsigned int count);
bool cpu_arrays_drain(unsigned int id, cpu_array_sink sink);

/* Objects in all arrays @id: exact if nobody is using them. Needs no lock. */
size_t cpu_arrays_count(unsigned int id);

/* Between layers' files: the fallback slots. Private to slab/. */
unsigned int cpu_slots(void);
struct cpu_array *cpu_slot_lock(unsigned int id);
void cpu_slot_lock_at(unsigned int slot);
void cpu_slot_unlock(struct cpu_array *array);

static inline struct cpu_array *cpu_array_at(long region, unsigned int id)
{
	return (struct cpu_array *)(cpu_regions +
				    region * CPU_REGION_BYTES) +
	       id;
}

/* The slots of @region as one array of pointers; counts index it. */
static inline void **cpu_region_slots(long region)
{
	return (void **)(cpu_regions + region * CPU_REGION_BYTES);
}

#endif
