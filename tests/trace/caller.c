/* SPDX-License-Identifier: MIT */
/*
 * A program to record: it makes calls of a kind that its first argument names.
 *
 * "random SEED" also prints, without malloc, what `replay --print` must say of
 * it; the others print nothing.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BLOCKS = 200,
	RANDOM_CALLS = 5000,
	MANY_CALLS = 600000, /* too many for one window of the recorder */
	THREADS = 4,
	THREAD_CALLS = 20000,
	ROUNDS = 3,
	SIZE_LOG_MAX = 14
};

struct block {
	void *address;
	unsigned long number;
};

static struct block blocks[BLOCKS];
static unsigned long numbers;
static bool is_silent;

/* What the trace must say; dprintf(3) would allocate. */
__attribute__((format(printf, 1, 2))) static void expect_line(
	const char *format, ...)
{
	char text[100];
	va_list arguments;
	int len;

	if (is_silent)
		return;
	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		abort();
}

/* The next number of the sequence that starts at *@state. */
static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Sizes of every magnitude. */
static size_t random_size(uint64_t *state)
{
	unsigned int shift = next_random(state) % SIZE_LOG_MAX;

	return next_random(state) % ((size_t)2 << shift);
}

/* By one of the functions that align, with sizes that all of them take. */
static void *allocate_aligned(uint64_t *state)
{
	size_t page = (size_t)getpagesize();
	size_t alignment = (size_t)16 << next_random(state) % 9;
	size_t size = alignment * (1 + next_random(state) % 4);
	void *block = NULL;

	switch (next_random(state) % 5) {
	case 0:
		expect_line("0 aligned %zu %zu", alignment, size);
		return aligned_alloc(alignment, size);
	case 1:
		expect_line("0 aligned %zu %zu", alignment, size);
		return memalign(alignment, size);
	case 2:
		expect_line("0 aligned %zu %zu", page, size);
		return valloc(size);
	case 3:
		expect_line("0 aligned %zu %zu", page,
			    (size + page - 1) & ~(page - 1));
		return pvalloc(size);
	default:
		expect_line("0 aligned %zu %zu", alignment, size);
		return posix_memalign(&block, alignment, size) ? NULL : block;
	}
}

static void *allocate(uint64_t *state)
{
	size_t size = random_size(state);

	switch (next_random(state) % 4) {
	case 0:
		expect_line("0 calloc %zu", 3 * size);
		return calloc(3, size);
	case 1:
		expect_line("0 malloc %zu", size);
		return realloc(NULL, size);
	case 2:
		return allocate_aligned(state);
	default:
		expect_line("0 malloc %zu", size);
		return malloc(size);
	}
}

/* Let what @block holds be @address from now on. */
static void enter(struct block *block, void *address)
{
	if (!address)
		abort();
	block->address = address;
	block->number = ++numbers;
	expect_line(" = #%lu\n", numbers);
}

static void release(struct block *block, uint64_t *state)
{
	size_t size = random_size(state);

	switch (next_random(state) % 4) {
	case 0:
		expect_line("0 realloc #%lu %zu", block->number, size + 1);
		enter(block, realloc(block->address, size + 1));
		return;
	case 1:
		expect_line("0 usable #%lu\n", block->number);
		if (malloc_usable_size(block->address) == SIZE_MAX)
			abort();
		return;
	case 2:
		expect_line("0 free #%lu\n", block->number);
		if (realloc(block->address, 0))
			abort();
		break;
	default:
		expect_line("0 free #%lu\n", block->number);
		free(block->address);
	}
	*block = (struct block){ 0 };
}

static void call_at_random(uint64_t state, unsigned long count)
{
	while (count--) {
		struct block *block = &blocks[next_random(&state) % BLOCKS];

		if (next_random(&state) % 50 == 0) {
			expect_line("0 free #0\n");
			free(NULL);
		} else if (block->address) {
			release(block, &state);
		} else {
			enter(block, allocate(&state));
		}
	}
}

/* Blocks that threads leave for each other. */
static void *box[BLOCKS];

static void *exchange_blocks(void *argument)
{
	uint64_t state = (uintptr_t)argument;

	for (int i = 0; i < THREAD_CALLS; i++) {
		void *block = malloc(random_size(&state));

		if (next_random(&state) % 8 == 0)
			block = realloc(block, 1 + random_size(&state));
		block = __atomic_exchange_n(&box[next_random(&state) % BLOCKS],
					    block, __ATOMIC_ACQ_REL);
		if (block && malloc_usable_size(block) == SIZE_MAX)
			abort();
		free(block);
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[THREADS];

	for (int round = 0; round < ROUNDS; round++) {
		for (uintptr_t i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, exchange_blocks,
				       (void *)(i + 1));
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
}

/* One child that goes on in this program, and one that executes it anew. */
static void run_children(const char *program)
{
	call_at_random(1, RANDOM_CALLS);
	if (fork() == 0) {
		call_at_random(2, RANDOM_CALLS);
		_exit(0);
	}
	if (fork() == 0) {
		execl(program, program, "many", (char *)NULL);
		_exit(1);
	}
	while (wait(NULL) > 0)
		;
}

static void allocate_in_handler(int number)
{
	(void)number;
	free(malloc(100));
}

static void run_under_signals(void)
{
	const struct itimerval often = { { 0, 100 }, { 0, 100 } };

	signal(SIGALRM, allocate_in_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	call_at_random(1, MANY_CALLS);
	signal(SIGALRM, SIG_IGN);
}

/* As daemons do; and what comes next gets the lowest descriptor. */
static void run_without_descriptors(void)
{
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		close(fd);
	if (dup(STDERR_FILENO) < 0)
		abort();
	call_at_random(1, MANY_CALLS);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	is_silent = strcmp(mode, "random") != 0;
	if (!is_silent)
		call_at_random(strtoull(argv[2], NULL, 10), RANDOM_CALLS);
	else if (strcmp(mode, "many") == 0)
		call_at_random(1, MANY_CALLS);
	else if (strcmp(mode, "threads") == 0)
		run_threads();
	else if (strcmp(mode, "children") == 0)
		run_children(argv[0]);
	else if (strcmp(mode, "signals") == 0)
		run_under_signals();
	else if (strcmp(mode, "descriptors") == 0)
		run_without_descriptors();
	else if (strcmp(mode, "killed") == 0)
		call_at_random(1, RANDOM_CALLS), raise(SIGKILL);
	else
		return 2;
	return 0;
}
