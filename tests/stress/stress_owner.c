/* SPDX-License-Identifier: MIT */
/*
 * Stress with owner tags: every block carries the tag of who allocated it, set
 * when it is handed out and cleared when it is freed, both atomically. A block
 * that is handed out twice, or touched by anybody else, shows at once.
 *
 * Many more threads than CPUs allocate, resize, exchange and free blocks of all
 * sizes, and end and start again; they move from CPU to CPU; timer signals
 * interrupt them anywhere, and the handler allocates and frees, too; one thread
 * drains everything about every millisecond; one forks, and the child checks
 * every invariant, which is possible because a fork finds no thread inside the
 * allocator. In the end nothing may be left.
 *
 *	stress_owner [OPERATIONS [THREADS]]
 *
 * SLUBMALLOC=index: chooses the mode, SM_TEST_SEED the random numbers.
 */
#include <slubmalloc/slubmalloc.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "heap/heap.h"

enum {
	THREADS_MAX = 256,
	HELD = 64,	    /* blocks in the hands of a thread */
	HELD_BY_SIGNAL = 8, /* and of its signal handler */
	EXCHANGE = 2048,    /* places where threads leave blocks for others */
	BUSY_CLASSES = 16,  /* size classes that most blocks are of */
	LIVES = 8,	    /* times that a thread ends and starts again */
	EDGE = 128,	    /* bytes checked at both ends of a large block */
	SIGNAL_NS = 250000,
	DRAIN_NS = 1000000,
	FORK_NS = 50000000,
	CHILD_OPERATIONS = 2000,
};

/* At the start of every block. */
struct header {
	_Atomic uint64_t tag; /* LIVE | owner | number while it is allocated */
	uint32_t size;
	uint32_t kind;
};

/* No other content of a block looks like this. */
static const uint64_t LIVE = 0xbeef000000000000, LIVE_MASK = 0xffff000000000000;

enum kind {
	PLAIN,	/* any function may free it */
	OBJECT, /* of the cache */
};

struct worker {
	pthread_t thread;
	uint64_t random;
	uint64_t number; /* of the next block */
	size_t index;
	size_t operations; /* left for this life */
	struct header *held[HELD];

	/* The signal handler's own. */
	uint64_t signal_random;
	uint64_t signal_number;
	struct header *signal_held[HELD_BY_SIGNAL];
};

static struct {
	struct worker workers[THREADS_MAX];
	struct header *_Atomic exchange[EXCHANGE];
	struct sm_cache *cache;
	cpu_set_t cpus;
	atomic_bool stop;
	atomic_size_t operations, signals, drains, forks, moves, failures;
} stress;

static _Thread_local struct worker *self;

static _Noreturn void fail(const char *what, const struct header *block)
{
	fprintf(stderr, "stress_owner: %s: block %p, tag 0x%llx, size %u\n",
		what, (const void *)block,
		block ? (unsigned long long)block->tag : 0,
		block ? block->size : 0);
	abort();
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	return z ^ (z >> 31);
}

/* The bytes behind the header that are filled and checked: all of a small
 * block, both ends of a large one. */
static void each_edge(struct header *block, uint64_t tag,
		      void (*visit)(struct header *, unsigned char *, size_t,
				    int))
{
	unsigned char *bytes = (unsigned char *)(block + 1);
	size_t size = block->size - sizeof(*block);
	int fill = (int)(tag * 31 % 200 + 1);

	visit(block, bytes, min_size(size, EDGE), fill);
	if (size > EDGE)
		visit(block, bytes + size - min_size(size - EDGE, EDGE),
		      min_size(size - EDGE, EDGE), fill);
}

static void fill_edge(struct header *block, unsigned char *bytes, size_t len,
		      int fill)
{
	(void)block;
	memset(bytes, fill, len);
}

static void check_edge(struct header *block, unsigned char *bytes, size_t len,
		       int fill)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != fill)
			fail("somebody wrote into a block", block);
	}
}

static void claim(struct header *block, uint64_t tag, size_t size,
		  enum kind kind)
{
	uint64_t before = atomic_exchange(&block->tag, LIVE | tag);

	if ((before & LIVE_MASK) == LIVE)
		fail("a block was handed out that is in use", block);
	block->size = (uint32_t)size;
	block->kind = kind;
	each_edge(block, LIVE | tag, fill_edge);
}

/* Check @block, and that nobody else has given it up; its tag. */
static uint64_t disclaim(struct header *block)
{
	uint64_t tag = atomic_load(&block->tag);

	if ((tag & LIVE_MASK) != LIVE)
		fail("a block lost its tag", block);
	each_edge(block, tag, check_edge);
	if (atomic_exchange(&block->tag, 0) != tag)
		fail("two threads freed a block", block);
	return tag;
}

static size_t random_size(uint64_t *random)
{
	uint64_t r = next_random(random);
	size_t shift = r >> 8 & 127;

	if (shift < 80)
		return sizeof(struct header) + (r >> 16) % 240;
	if (shift < 110)
		return sizeof(struct header) + (r >> 16) % 4000;
	if (shift < 122)
		return sizeof(struct header) + (r >> 16) % 34000;
	if (shift < 127 || (r >> 56) > 32)
		return sizeof(struct header) + (r >> 16) % 200000;
	return RUN_BYTES_MAX + (r >> 16) % RUN_BYTES_MAX;
}

static void check_zero(const struct header *block, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)block;

	for (size_t i = 0; i < min_size(size, EDGE); i++) {
		if (bytes[i] || bytes[size - 1 - i])
			fail("zeroed memory is not zero", block);
	}
}

static struct header *alloc_block(uint64_t *random, uint64_t tag)
{
	size_t size = random_size(random);
	uint64_t way = next_random(random) % 16;
	enum kind kind = PLAIN;
	struct header *block;

	if (way == 0) {
		block = sm_calloc(1, size);
		if (block)
			check_zero(block, size);
	} else if (way == 1) {
		block = sm_aligned_alloc((size_t)16 << tag % 9, size);
	} else if (way == 2) {
		block = sm_alloc(size, SM_NOWAIT);
	} else if (way <= 4) {
		size = sm_cache_size(stress.cache);
		block = sm_cache_alloc(stress.cache, 0);
		kind = OBJECT;
	} else {
		block = sm_malloc(size);
	}
	if (block)
		claim(block, tag, size, kind);
	else
		atomic_fetch_add_explicit(&stress.failures, 1,
					  memory_order_relaxed);
	return block;
}

static void free_block(struct header *block)
{
	enum kind kind;

	if (!block)
		return;
	kind = block->kind;
	disclaim(block);
	if (kind == OBJECT)
		sm_cache_free(stress.cache, block);
	else
		sm_free(block);
}

static struct header *resize_block(struct header *block, uint64_t *random)
{
	size_t size = random_size(random), kept = block->size;
	struct header *moved;
	uint64_t tag;

	if (block->kind == OBJECT)
		return block;
	tag = disclaim(block);
	moved = sm_realloc(block, size);
	if (!moved) {
		moved = block;
		size = kept;
	}
	/* The content is there as far as both sizes reach. */
	moved->size =
		(uint32_t)min_size(min_size(kept, size), sizeof(*moved) + EDGE);
	each_edge(moved, tag, check_edge);
	claim(moved, tag & ~LIVE_MASK, size, PLAIN);
	return moved;
}

/* Leave @block for another thread, and take what lay there. */
static struct header *exchange_block(struct header *block, uint64_t *random)
{
	size_t place = next_random(random) % EXCHANGE;

	return atomic_exchange(&stress.exchange[place], block);
}

static uint64_t next_tag(struct worker *worker)
{
	return (uint64_t)worker->index << 36 | worker->number++;
}

static void use_bulk(struct worker *worker)
{
	void *objects[16];

	if (!sm_cache_alloc_bulk(stress.cache, 0, 16, objects))
		return;
	for (int i = 0; i < 16; i++)
		claim(objects[i], next_tag(worker), sm_cache_size(stress.cache),
		      OBJECT);
	for (int i = 0; i < 16; i++)
		disclaim(objects[i]);
	sm_cache_free_bulk(stress.cache, 16, objects);
}

static void move_to_some_cpu(uint64_t *random)
{
	size_t cpu = next_random(random) % CPU_SETSIZE;
	cpu_set_t one;

	while (!CPU_ISSET(cpu, &stress.cpus))
		cpu = (cpu + 1) % CPU_SETSIZE;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one),
			  next_random(random) % 4 ? &one : &stress.cpus);
	atomic_fetch_add_explicit(&stress.moves, 1, memory_order_relaxed);
}

static void operate(struct worker *worker)
{
	uint64_t r = next_random(&worker->random);
	struct header **held = &worker->held[r % HELD];

	if (!*held)
		*held = alloc_block(&worker->random, next_tag(worker));
	else if (r >> 32 & 3)
		*held = (free_block(*held), NULL);
	else if (r >> 40 & 3)
		*held = exchange_block(*held, &worker->random);
	else
		*held = resize_block(*held, &worker->random);
	if ((r >> 48) % 1024 == 0)
		move_to_some_cpu(&worker->random);
	if ((r >> 48) % 1024 == 1)
		use_bulk(worker);
}

/* Interrupts operate() anywhere, the allocator included. */
static void handle_signal(int number)
{
	struct worker *worker = self;
	struct header **held;
	int saved_errno = errno;

	(void)number;
	if (!worker)
		return;
	held = &worker->signal_held[next_random(&worker->signal_random) %
				    HELD_BY_SIGNAL];
	if (*held)
		*held = (free_block(*held), NULL);
	else
		*held = alloc_block(&worker->signal_random,
				    (uint64_t)(worker->index + THREADS_MAX)
						    << 36 |
					    worker->signal_number++);
	atomic_fetch_add_explicit(&stress.signals, 1, memory_order_relaxed);
	errno = saved_errno;
}

static timer_t start_signals(void)
{
	const struct itimerspec interval = {
		.it_interval.tv_nsec = SIGNAL_NS,
		.it_value.tv_nsec = SIGNAL_NS,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR1,
	};
	timer_t timer;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &interval, NULL) != 0) {
		perror("stress_owner: timer");
		abort();
	}
	return timer;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	timer_t timer;

	self = worker;
	timer = start_signals();
	for (size_t i = 0; i < worker->operations; i++)
		operate(worker);
	atomic_fetch_add(&stress.operations, worker->operations);
	timer_delete(timer);
	self = NULL;
	return NULL;
}

static void pause_for(long ns)
{
	const struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

/* Take what the CPUs have of the busiest caches from under their hands. */
static void drain_busy_caches(void)
{
	for (unsigned int class = 1; class <= BUSY_CLASSES; class ++) {
		if (gate_enter(GATE_LONG)) {
			cache_shrink(cache_of_class(class, 0));
			gate_leave();
		}
		sm_cache_shrink(stress.cache);
		atomic_fetch_add_explicit(&stress.drains, 2,
					  memory_order_relaxed);
	}
}

/* Pass number @i over all slabs, as if much time had passed since the last. */
static void sweep_slabs(unsigned int i)
{
	if (gate_enter(GATE_LONG)) {
		caches_sweep((uint64_t)i << 32);
		gate_leave();
	}
}

/* The riskiest thing of all, as often as can be. */
static void *drain(void *unused)
{
	for (unsigned int i = 0; !atomic_load(&stress.stop); i++) {
		drain_busy_caches();
		sweep_slabs(i);
		if (i % 16 == 0)
			sm_trim(i % 32 ? (size_t)1 << 20 : 0);
		pause_for(DRAIN_NS);
	}
	return unused;
}

static void check_everything(void)
{
	page_check();
	vma_check();
	for (unsigned int id = 1; id < CPU_ARRAYS; id++) {
		struct cache *cache = cache_of_id(id);

		if (cache)
			cache_check(cache);
	}
}

/* A child has the one thread that called fork. */
static _Noreturn void live_as_child(void)
{
	static struct worker worker = { .index = THREADS_MAX - 1 };

	check_everything();
	for (int i = 0; i < CHILD_OPERATIONS; i++)
		operate(&worker);
	sm_trim(0);
	check_everything();
	_exit(0);
}

static void fork_once(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		live_as_child();
	if (child < 0)
		return;
	waitpid(child, &status, 0);
	if (status != 0) {
		fprintf(stderr, "stress_owner: child: status 0x%x\n",
			(unsigned int)status);
		abort();
	}
	atomic_fetch_add_explicit(&stress.forks, 1, memory_order_relaxed);
}

static void *fork_now_and_then(void *unused)
{
	/* The sanitizer's own locks don't survive a fork. */
	while (!atomic_load(&stress.stop) && !BUILT_WITH_TSAN) {
		fork_once();
		pause_for(FORK_NS);
	}
	return unused;
}

static void start_worker(struct worker *worker, size_t operations)
{
	worker->operations = operations / LIVES;
	if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
		perror("stress_owner: thread");
		abort();
	}
}

static void run_workers(size_t operations, size_t threads, uint64_t seed)
{
	for (size_t i = 0; i < threads; i++) {
		stress.workers[i].index = i;
		stress.workers[i].random = seed + i;
		stress.workers[i].signal_random = seed - i - 1;
		start_worker(&stress.workers[i], operations / threads);
	}
	for (int life = 1; life <= LIVES; life++) {
		for (size_t i = 0; i < threads; i++) {
			pthread_join(stress.workers[i].thread, NULL);
			if (life < LIVES)
				start_worker(&stress.workers[i],
					     operations / threads);
		}
	}
}

static void free_everything(size_t threads)
{
	for (size_t i = 0; i < threads; i++) {
		for (int n = 0; n < HELD; n++)
			free_block(stress.workers[i].held[n]);
		for (int n = 0; n < HELD_BY_SIGNAL; n++)
			free_block(stress.workers[i].signal_held[n]);
	}
	for (int i = 0; i < EXCHANGE; i++)
		free_block(stress.exchange[i]);
}

static void expect_nothing_left(void)
{
	struct sm_stats stats;

	check_everything();
	if (sm_cache_destroy(stress.cache) != 0)
		fail("the cache still has objects", NULL);
	sm_trim(0);
	sm_stats(&stats);
	if (stats.slab_objects || stats.slabs || stats.runs || stats.mappings ||
	    stats.cached_pages) {
		fprintf(stderr,
			"stress_owner: left over: %zu objects, %zu slabs, "
			"%zu runs, %zu mappings\n",
			stats.slab_objects, stats.slabs, stats.runs,
			stats.mappings);
		abort();
	}
	check_everything();
}

static void report(size_t threads, double seconds)
{
	static const char *const modes[] = { "auto", "cpu_id", "mm_cid",
					     "none" };

	printf("stress_owner: index %s, %zu threads: %zu operations in %.1f s, "
	       "%zu signals, %zu moves, %zu drains, %zu forks, %zu refused: "
	       "no violation\n",
	       modes[os_cpu_index()], threads, (size_t)stress.operations,
	       seconds, (size_t)stress.signals, (size_t)stress.moves,
	       (size_t)stress.drains, (size_t)stress.forks,
	       (size_t)stress.failures);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	size_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000000;
	size_t threads = argc > 2 ? strtoull(argv[2], NULL, 0) : 32;
	const char *seed = getenv("SM_TEST_SEED");
	struct sigaction action = { .sa_handler = handle_signal,
				    .sa_flags = SA_RESTART };
	pthread_t drainer, forker;
	double start = now();

	threads = clamp_size(threads, 1, THREADS_MAX - 1);
	sigaction(SIGUSR1, &action, NULL);
	sched_getaffinity(0, sizeof(stress.cpus), &stress.cpus);
	stress.cache = sm_cache_create("stress", 200, 0, 0, NULL);
	pthread_create(&drainer, NULL, drain, NULL);
	pthread_create(&forker, NULL, fork_now_and_then, NULL);
	run_workers(operations, threads, seed ? strtoull(seed, NULL, 0) : 1);
	atomic_store(&stress.stop, true);
	pthread_join(drainer, NULL);
	pthread_join(forker, NULL);
	free_everything(threads);
	expect_nothing_left();
	report(threads, now() - start);
	return 0;
}
