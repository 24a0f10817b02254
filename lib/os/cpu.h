/* SPDX-License-Identifier: MIT */
/*
 * The CPU this thread runs on, as an index that restartable sequences may use.
 *
 * glibc registers an rseq area for every thread; we use it and never register
 * one. The kernel may kill a process that writes to any other field than
 * rseq_cs, so nothing else is ever written.
 *
 * Code reaches the area through a thread-local pointer. It starts out at one
 * shared dummy whose indices are -1, and is moved to the thread's own area by
 * os_rseq_attach() once the kernel has confirmed that the thread is registered.
 * So an unregistered thread (raw clone, valgrind, old kernel) never uses an
 * index that nobody keeps up to date: it sees CPU -1.
 */
#ifndef OS_CPU_H
#define OS_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* The kernel's struct rseq, as far as we read it. */
struct rseq_area {
	uint32_t cpu_id_start;
	int32_t cpu_id;
	uint64_t rseq_cs; /* the only field that we write */
	uint32_t flags;
	int32_t node_id;
	int32_t mm_cid;
	uint32_t unused;
};

/* What indexes the per-CPU arrays. */
enum cpu_index {
	CPU_INDEX_AUTO,	  /* mm_cid if the kernel has it, else cpu_id */
	CPU_INDEX_CPU_ID, /* the CPU */
	CPU_INDEX_MM_CID, /* the process's concurrency id: dense, few */
	CPU_INDEX_NONE,	  /* neither: the fallback for every thread */
};

/*
 * What the hot paths need of the thread, in one place, so that they look for it
 * once. The budget is not the CPU's: how many more bytes may be allocated
 * before the heartbeat looks at the clock (heap/tick.c).
 */
struct os_thread {
	struct rseq_area *rseq; /* this thread's area, or the dummy */
	int64_t budget;
};

extern THREAD_LOCAL struct os_thread os_thread
	__attribute__((visibility("hidden")));

/* Offset of the index in the area, in bytes. [fixed at os_cpu_init()] */
extern size_t os_cpu_field __attribute__((visibility("hidden")));

/*
 * Find out how many CPUs there may be, choose the index, and register for
 * os_cpu_fence(). Without that fence restartable sequences are not used.
 */
void os_cpu_init(enum cpu_index wanted);

/* One more than the highest CPU id there can be. [fixed at os_cpu_init()] */
unsigned int os_cpu_limit(void);

/* What was chosen; never CPU_INDEX_AUTO after os_cpu_init(). */
enum cpu_index os_cpu_index(void);

/*
 * Ask the kernel whether this thread is registered, and use its area if so.
 * True if the thread may run restartable sequences now.
 */
bool os_rseq_attach(void);

static inline bool os_rseq_is_attached(void)
{
	return os_thread.rseq->cpu_id >= 0;
}

/* The same for the thread that has just called os_cpu_init(), which has looked
 * already. From then on the index must find its region. */
void os_rseq_attach_first(void);

/* Forget the area: before vfork, whose child is not registered. */
void os_rseq_detach(void);

/*
 * A number below os_cpu_limit() that is likely this CPU's index; may be out of
 * date when it returns, so it only spreads load.
 */
unsigned int os_cpu_hint(void);

/*
 * Restart every restartable sequence of this process that is running: after
 * it, none of them can commit what it read before. False if the kernel
 * refuses.
 */
bool os_cpu_fence(void);

#endif
