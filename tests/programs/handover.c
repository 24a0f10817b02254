/* SPDX-License-Identifier: MIT */
/*
 * One thread allocates, another frees: gigabytes go through a queue of 64
 * bytes, which is eight pointers, and memory stays what it was.
 */
#include "limits.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum {
	SLOTS = 64 / sizeof(void *),
	SAMPLE = 1 << 20,
	SLACK = MIB
};

/* The queue: the producer fills what is NULL, the consumer empties the rest. */
static _Atomic(void *) slots[SLOTS];
/* A block that says that there are no more. */
static char end_mark;

/* Wait a little for the other side: first on the CPU, then off it. */
static void wait_a_little(unsigned int *spins)
{
	if (++*spins % 32 == 0)
		sched_yield();
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void put_block(size_t turn, void *block)
{
	_Atomic(void *) *slot = &slots[turn % SLOTS];
	unsigned int spins = 0;

	/* pairs with the release in take_block() */
	while (atomic_load_explicit(slot, memory_order_acquire))
		wait_a_little(&spins);
	atomic_store_explicit(slot, block, memory_order_release);
}

static void *take_block(size_t turn)
{
	_Atomic(void *) *slot = &slots[turn % SLOTS];
	unsigned int spins = 0;
	void *block;

	/* pairs with the release in put_block() */
	while (!(block = atomic_load_explicit(slot, memory_order_acquire)))
		wait_a_little(&spins);
	atomic_store_explicit(slot, NULL, memory_order_release);
	return block;
}

static void *free_all(void *unused)
{
	void *block;

	for (size_t turn = 0; (block = take_block(turn)) != &end_mark; turn++)
		free(block);
	return unused;
}

/* Send @total bytes in blocks of up to @max bytes; returns the most memory. */
static size_t send_blocks(size_t total, size_t max, size_t *ret_base)
{
	size_t turn = 0, most = 0;
	uint64_t state = 1;

	for (size_t sent = 0; sent < total; turn++) {
		size_t size = max > 64 ? next_number(&state) % max + 1 : max;
		char *block = malloc(size);

		if (!block)
			abort();
		block[0] = block[size - 1] = 1;
		put_block(turn, block);
		sent += size;
		if (turn == SAMPLE)
			*ret_base = resident_bytes();
		if (turn % SAMPLE == 0 && resident_bytes() > most)
			most = resident_bytes();
	}
	put_block(turn, &end_mark);
	return most;
}

/* Usage: handover GIGABYTES MAX; MAX bytes a block, from 65 up at most. */
int main(int argc, char **argv)
{
	size_t total = argc == 3 ? strtoul(argv[1], NULL, 10) * 1000000000 : 0;
	size_t max = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	size_t base = 0, most;
	pthread_t consumer;

	require_preload();
	if (!total || !max || pthread_create(&consumer, NULL, free_all, NULL))
		return 1;
	most = send_blocks(total, max, &base);
	pthread_join(consumer, NULL);
	expect_limit(base && most <= base + SLACK,
		     "most memory after a million blocks", most, base + SLACK);
	return 0;
}
