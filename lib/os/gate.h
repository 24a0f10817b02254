/* SPDX-License-Identifier: MIT */
/*
 * The gate: the one way into code that takes locks.
 *
 * Every slow path of the allocator runs inside the gate. It solves three
 * problems with one mechanism:
 *
 * - fork: the prepare handler closes the gate and waits until everybody is out.
 *   Then no lock is held and every structure is whole, so the child gets a
 *   perfect copy and there is nothing to repair or to re-initialise.
 * - stdio's lock: glibc takes it after our prepare handler, so a thread that
 *   holds a FILE and wants memory could wait for fork while fork waits for it.
 *   A thread that finds the gate closed therefore waits a bounded time, then
 *   is told to do without (the emergency memory of heap/emergency.c).
 * - signal handlers: a handler that interrupted code inside the gate would wait
 *   for itself. It finds the mark of its own thread and is told the same.
 *
 * The hot paths take no lock and do not pass the gate.
 */
#ifndef OS_GATE_H
#define OS_GATE_H

#include <stdbool.h>

/* How long a closed gate is waited for. */
enum gate_patience {
	GATE_NOW,     /* not at all */
	GATE_BRIEFLY, /* longer than most forks: where emergency memory will do
		       */
	GATE_LONG,    /* longer than any: where nothing else will do */
};

/*
 * Pass in; false if this thread is inside already, or the gate has been closed
 * for too long. After true, gate_leave() is due.
 */
bool gate_enter(enum gate_patience patience);
void gate_leave(void);

/*
 * Close the gate and wait until all are out; the thread that closed it may pass
 * all the same. For fork. gate_reopen_child() is gate_reopen() in the child.
 */
void gate_close(void);
void gate_reopen(void);
void gate_reopen_child(void);

/* This thread is inside. */
bool gate_is_inside(void);

/*
 * True if the gate is closed and nobody at all is inside, and stays so until
 * gate_release_quiet(): what locks protect may be read without them. For a few
 * instructions only.
 */
bool gate_hold_quiet(void);
void gate_release_quiet(void);

#endif
