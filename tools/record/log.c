/* SPDX-License-Identifier: MIT */
/*
 * The log: numbers for blocks and threads, events, and when it begins and ends.
 *
 * It begins with the first call of the process for which libc knows the
 * environment, and ends with the process, or after as many calls as were asked
 * for, or when the file can't grow. The child of a fork isn't recorded: its
 * heap is its parent's, and a trace of it alone would mean nothing. A program
 * that it executes is, in a file of its own.
 */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "blocks.h"
#include "writer.h"

enum {
	EVENT_BYTES_MAX = 5 * TRACE_NUMBER_BYTES /* two marks, a call */
};

enum stage {
	STAGE_BEFORE,
	STAGE_ON,
	STAGE_OVER
};

static struct {
	pthread_mutex_t lock;
	enum stage stage;     /* [lock to write, atomic to read] */
	struct writer writer; /* [lock] */
	struct blocks blocks; /* [lock] */
	uint64_t calls;	      /* [lock] */
	uint64_t calls_max;   /* [fixed when it begins] */
	uint64_t numbers;     /* [lock] given to blocks so far */
	unsigned int threads; /* [lock] seen so far */
	unsigned int current; /* [lock] the thread of the last event */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* This thread's number, from 1; 0 as long as it has made no call. */
static __thread unsigned int thread_number;

/*
 * Not 0 while this thread is at work here. A signal handler that interrupts it
 * and calls malloc() must not wait for it: such calls are not recorded.
 */
static __thread unsigned int depth;

static void set_stage(enum stage stage)
{
	__atomic_store_n(&state.stage, stage, __ATOMIC_RELAXED);
}

/* The end, before its time. */
static void give_up(const char *why)
{
	char text[PATH_MAX + 160];
	int len = snprintf(text, sizeof(text),
			   "slubrecord: %s: %s; recorded are %llu calls\n",
			   state.writer.path, why,
			   (unsigned long long)state.calls);

	if (state.writer.window)
		writer_close(&state.writer);
	set_stage(STAGE_OVER);
	if (syscall(SYS_write, STDERR_FILENO, text, (size_t)len) < 0)
		return; /* nobody listens */
}

static void write_event(enum trace_op op, uint64_t operand)
{
	writer_number(&state.writer, operand << TRACE_OP_BITS | op);
}

static void write_head(void)
{
	const char *name = program_invocation_short_name;
	size_t len = strnlen(name, TRACE_NAME_MAX);

	for (size_t i = 0; i < TRACE_MAGIC_BYTES; i++)
		writer_byte(&state.writer, (unsigned char)TRACE_MAGIC[i]);
	writer_number(&state.writer, len);
	for (size_t i = 0; i < len; i++)
		writer_byte(&state.writer, (unsigned char)name[i]);
}

static void end_log(void)
{
	write_event(TRACE_MARK, TRACE_END);
	writer_number(&state.writer, state.calls);
	writer_close(&state.writer);
	set_stage(STAGE_OVER);
}

/*
 * slubrun says by the environment where to: the file itself for the process
 * that it has become, and one with the process's number for any other.
 */
static void begin_log(void)
{
	const char *path = secure_getenv("SLUBRECORD");
	const char *pid = secure_getenv("SLUBRECORD_PID");
	const char *calls = secure_getenv("SLUBRECORD_CALLS");
	size_t size = sizeof(state.writer.path);
	int len;

	if (!path) {
		set_stage(STAGE_OVER);
		return;
	}
	state.calls_max = calls ? strtoull(calls, NULL, 10) : UINT64_MAX;
	if (pid && strtol(pid, NULL, 10) == getpid())
		len = snprintf(state.writer.path, size, "%s", path);
	else
		len = snprintf(state.writer.path, size, "%s.%d", path,
			       (int)getpid());
	if (len >= (int)size || !writer_open(&state.writer)) {
		give_up(len >= (int)size ? "the name is too long"
					 : strerrordesc_np(errno));
		return;
	}
	write_head();
	set_stage(STAGE_ON);
}

/* Take the log; false, and it isn't taken, if this call is not recorded. */
static bool log_enter(void)
{
	enum stage stage = __atomic_load_n(&state.stage, __ATOMIC_RELAXED);
	int saved_errno = errno;

	if (depth || stage == STAGE_OVER || (stage == STAGE_BEFORE && !environ))
		return false;
	depth++;
	pthread_mutex_lock(&state.lock);
	if (state.stage == STAGE_BEFORE)
		begin_log();
	if (state.stage == STAGE_ON &&
	    !writer_reserve(&state.writer, EVENT_BYTES_MAX))
		give_up(strerrordesc_np(errno));
	errno = saved_errno;
	if (state.stage == STAGE_ON)
		return true;
	pthread_mutex_unlock(&state.lock);
	depth--;
	return false;
}

static void log_leave(void)
{
	if (state.stage == STAGE_ON && state.calls == state.calls_max)
		end_log();
	pthread_mutex_unlock(&state.lock);
	depth--;
}

/* One call of this thread. */
static void write_call(enum trace_op op, uint64_t operand)
{
	if (!thread_number)
		thread_number = ++state.threads;
	if (state.current != thread_number) {
		state.current = thread_number;
		write_event(TRACE_MARK, TRACE_THREAD + thread_number - 1);
	}
	write_event(op, operand);
	state.calls++;
}

/* How many numbers back @number is; 0 for none. */
static uint64_t distance_to(uint64_t number)
{
	return number ? state.numbers + 1 - number : 0;
}

/* Give @block the next number, after its call has been written. */
static void enter_block(const void *block)
{
	if (!blocks_put(&state.blocks, block, ++state.numbers))
		give_up(strerrordesc_np(errno));
}

void log_alloc(enum trace_op op, const void *block, size_t size)
{
	if (!block || !log_enter())
		return;
	write_call(op, size);
	enter_block(block);
	log_leave();
}

/* Of the alignment that memalign() makes of @alignment. */
static unsigned int log2_up(size_t alignment)
{
	return alignment > 1 ? 64 - (unsigned int)__builtin_clzl(alignment - 1)
			     : 0;
}

void log_aligned(const void *block, size_t alignment, size_t size)
{
	if (!block || !log_enter())
		return;
	write_call(TRACE_ALIGNED, size);
	writer_number(&state.writer, log2_up(alignment));
	enter_block(block);
	log_leave();
}

/* Of a block that the log has never seen there is nothing to say. */
void log_free(const void *block)
{
	uint64_t number;

	if (!log_enter())
		return;
	number = blocks_take(&state.blocks, block);
	if (number || !block)
		write_call(TRACE_FREE, distance_to(number));
	log_leave();
}

void log_usable_size(const void *block)
{
	uint64_t number;

	if (!log_enter())
		return;
	number = blocks_find(&state.blocks, block);
	if (number || !block)
		write_call(TRACE_USABLE, distance_to(number));
	log_leave();
}

uint64_t log_realloc_begin(const void *block)
{
	uint64_t number;

	if (!block || !log_enter())
		return 0;
	number = blocks_take(&state.blocks, block);
	log_leave();
	return number;
}

/* Back where it was, after a realloc() that failed. */
static void restore_block(uint64_t number, const void *block)
{
	if (number && !blocks_put(&state.blocks, block, number))
		give_up(strerrordesc_np(errno));
}

void log_realloc_end(uint64_t number, const void *old, const void *block,
		     size_t size)
{
	if (!log_enter())
		return;
	if (!block && size > 0) {
		restore_block(number, old);
	} else if (!block && number) {
		write_call(TRACE_FREE, distance_to(number));
	} else if (block && number) {
		write_call(TRACE_REALLOC, distance_to(number));
		writer_number(&state.writer, size);
		enter_block(block);
	} else if (block) {
		write_call(TRACE_MALLOC, size);
		enter_block(block);
	}
	log_leave();
}

/*
 * A fork copies the log between two events, never within one; unless it is the
 * fork of a signal handler that has interrupted this very thread here.
 */
static void before_fork(void)
{
	if (depth++ == 0)
		pthread_mutex_lock(&state.lock);
}

static void after_fork_in_parent(void)
{
	if (--depth == 0)
		pthread_mutex_unlock(&state.lock);
}

static void after_fork_in_child(void)
{
	set_stage(STAGE_OVER);
	after_fork_in_parent();
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

__attribute__((destructor)) static void end_with_process(void)
{
	if (!log_enter())
		return;
	end_log();
	log_leave();
}
