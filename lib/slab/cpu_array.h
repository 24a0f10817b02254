/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU arrays of free objects: the main sheaf of each cache on each CPU.
 *
 * Every CPU has a region of addresses. It starts with three tables of pointers,
 * by cache number, and the slots of all arrays follow. An array holds its
 * objects in the slots from begin up to top, and has room up to end.
 *
 *	region of CPU 0                              region of CPU 1
 *	[top 0..255][begin 0..255][end 0..255][slots of cache 1][of cache 2]..
 *	     |            |            |       ^begin   ^top  ^end
 *	     +------------+------------+-------+--------+-----+
 *
 * Arrays with little room lie side by side, for short processes; one that grows
 * moves to slots of its own behind them, see struct place in cpu_array.c.
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
 * with a begin above and an end below any top. So the two compares that an
 * array needs anyway, "empty?" and "full?", answer every other question, too.
 *
 * Tops are pointers, and the three tables are apart, so that a sequence can
 * load and store them by a base register and a constant: processors forward
 * such a store to the next load for nothing, while an index register in the
 * address made a pair of malloc and free three times as slow
 * (docs/decisions/0011-pointers-instead-of-counts.md).
 *
 * Threads without rseq use the same regions behind the CPUs', under locks: see
 * cpu_slot.c.
 */
#ifndef SLAB_CPU_ARRAY_H
#define SLAB_CPU_ARRAY_H

#include "page/page.h"

enum {
	CPU_REGION_SHIFT = 18, /* 256 KiB of addresses a CPU */
	CPU_REGION_BYTES = 1 << CPU_REGION_SHIFT,
	CPU_ARRAYS = 256, /* cache numbers: what a byte of the map can tell */
};

/* A region, by cache number. [cpu], or a drain. */
struct cpu_region {
	void **top[CPU_ARRAYS];	  /* one past the last object */
	void **begin[CPU_ARRAYS]; /* the first slot; of 0: a drain's mark */
	void **end[CPU_ARRAYS];	  /* one past the last slot to be used */
	void *slots[];
};

enum {
	CPU_REGION_SLOTS =
		(CPU_REGION_BYTES - sizeof(struct cpu_region)) / sizeof(void *),
};

/* Region of CPU 0; other CPUs', and that of CPU -1, lie around it. */
extern char *cpu_regions __attribute__((visibility("hidden")));

/* No thread of this process runs sequences. [fixed at cpu_arrays_init()] */
extern bool cpu_slots_only __attribute__((visibility("hidden")));

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
 * sequences they use a fallback slot. They wait for nobody, and may be called
 * outside of the gate.
 */
unsigned int cpu_array_take(unsigned int id, void **objects,
			    unsigned int count);
unsigned int cpu_array_give(unsigned int id, void *const *objects,
			    unsigned int count);

/* Where no thread runs sequences, a hit is to be had in a fallback slot before
 * the slow path is entered. */
static inline bool cpu_array_pop_slot(unsigned int id, void **ret_object)
{
	return cpu_slots_only && cpu_array_take(id, ret_object, 1);
}

static inline bool cpu_array_push_slot(unsigned int id, void *object)
{
	return cpu_slots_only && cpu_array_give(id, &object, 1);
}

/*
 * Give array @id, of objects of @size bytes, @limit slots in every region, the
 * first time; later calls with the same @id change nothing. How many it has:
 * fewer, or none, when the regions are full.
 */
unsigned int cpu_array_assign(unsigned int id, unsigned int limit, size_t size);

/* Whether arrays may have more room than they can't do without: what lies in
 * them is free, but in nobody's use. */
bool cpu_arrays_may_grow(void);

/* An array @id that had @room is closed. Private to slab/. */
void cpu_array_forget_room(unsigned int id, size_t room);

/* The first slot of array @id of @region, judged by its top alone. Private to
 * slab/. */
void **cpu_array_slots(struct cpu_region *region, unsigned int id);

/*
 * Make room for more objects in this CPU's array @id: twice what it has, up to
 * @most and the slots that were assigned, and never less than it had; opens it
 * if it's closed. Returns the room there is now; or 0 if a drain has the array,
 * or if it would have to move to other slots and isn't empty. Inside the gate.
 */
unsigned int cpu_array_grow(unsigned int id, unsigned int most);

/*
 * Empty the arrays @id (0: of all caches) of all CPUs and slots: @sink gets the
 * objects. False if the system has no fence; then only the slots are empty.
 * The caller holds the lock of rank RANK_CACHES.
 */
typedef void (*cpu_array_sink)(unsigned int id, void *const *objects,
			       unsigned int count);
bool cpu_arrays_drain(unsigned int id, cpu_array_sink sink);

/* In the child of a fork: free the fallback slots that threads held which it
 * does not have. */
void cpu_slots_forget_others(void);

/* Objects in all arrays @id: exact if nobody is using them. Needs no lock. */
size_t cpu_arrays_count(unsigned int id);

/*
 * The fallback slots: how many there are; one that is locked for the caller, or
 * NULL if all are busy; the one with a number, or NULL if it's busy for long;
 * and its release. Private to slab/.
 */
unsigned int cpu_slots(void);
struct cpu_region *cpu_slot_lock(void);
struct cpu_region *cpu_slot_lock_at(unsigned int slot);
void cpu_slot_unlock(struct cpu_region *region);

/* The region of a CPU, or of a slot at os_cpu_limit() and above. */
static inline struct cpu_region *cpu_region_at(long index)
{
	return (struct cpu_region *)(cpu_regions + index * CPU_REGION_BYTES);
}

#endif
