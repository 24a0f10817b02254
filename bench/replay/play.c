/* SPDX-License-Identifier: MIT */
/*
 * The players: a thread for each lane of the plan, each started by the one that
 * made the call before.
 *
 * A block is used as programs use theirs: when it is new, its first byte is
 * written, one in every 64 bytes up to 4 KiB, and one in every 4 KiB beyond.
 * The first byte holds a tag, which is read before the block is given back and
 * must be what it was.
 */
#include "play.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "fail.h"
#include "memory.h"

enum {
	LINE_BYTES = 64,
	PAGE_BYTES = 4096,
	SPINS = 64,	       /* looks before a thread that waits steps back */
	STACK_BYTES = 1 << 17, /* of a player */
	ALIGN_MIN = sizeof(void *)
};

#define TIME_NEVER UINT32_MAX

/* One for each lane. */
struct player {
	_Alignas(LINE_BYTES) uint32_t time; /* [atomic] of the trace */
	pthread_t thread;		    /* [fixed when it is started] */
	struct stage *stage;		    /* [fixed at creation] */
	const struct lane *lane;	    /* [fixed at creation] */
};

struct stage {
	struct player *players;
	unsigned int player_count;
	unsigned char **slots; /* [atomic] */
	size_t slot_count;
};

struct stage *stage_make(const struct plan *plan)
{
	struct stage *stage = memory_map(sizeof(*stage));

	stage->player_count = plan->lane_count;
	stage->players = memory_map(plan->lane_count * sizeof(struct player));
	stage->slot_count = plan->slot_count;
	stage->slots = memory_map(plan->slot_count * sizeof(void *));
	for (unsigned int i = 0; i < plan->lane_count; i++) {
		stage->players[i].stage = stage;
		stage->players[i].lane = &plan->lanes[i];
	}
	return stage;
}

/* Between two looks at what is waited for. */
static void pause_for(unsigned int *spins)
{
	if (++*spins >= SPINS)
		sched_yield();
}

static unsigned char tag_of(uint64_t word)
{
	return (unsigned char)(WORD_SLOT(word) | 1);
}

/* Use @block, whose first @used bytes have been in use before. */
static void touch(unsigned char *block, size_t used, size_t size,
		  unsigned char tag)
{
	size_t lines = size < PAGE_BYTES ? size : PAGE_BYTES;
	size_t at = (used + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);

	if (size > 0)
		block[0] = tag;
	for (; at < lines; at += LINE_BYTES)
		block[at] = tag;
	at = (at + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
	for (; at < size; at += PAGE_BYTES)
		block[at] = tag;
}

/* A new block: use it, then let every thread see it. */
static void publish(struct stage *stage, uint64_t word, unsigned char *block,
		    size_t used)
{
	size_t size = WORD_SIZE(word);

	if (__builtin_expect(!block, 0))
		fail("no memory for a block of %zu bytes", size);
	touch(block, used, size, tag_of(word));
	/* pairs with the acquire in peek() */
	__atomic_store_n(&stage->slots[WORD_SLOT(word)], block,
			 __ATOMIC_RELEASE);
}

/* The block in a slot, once it is there. */
static unsigned char *peek(struct stage *stage, uint64_t word)
{
	unsigned char **slot = &stage->slots[WORD_SLOT(word)];
	unsigned char *block = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
	unsigned int spins = 0;

	while (__builtin_expect(!block, 0)) {
		pause_for(&spins);
		block = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
	}
	return block;
}

/* The same, and the slot is empty then. */
static unsigned char *take(struct stage *stage, uint64_t word)
{
	unsigned char *block = peek(stage, word);

	if (WORD_SIZE(word) > 0 && block[0] != tag_of(word))
		fail("a block of %zu bytes was overwritten",
		     (size_t)WORD_SIZE(word));
	__atomic_store_n(&stage->slots[WORD_SLOT(word)], NULL,
			 __ATOMIC_RELAXED);
	return block;
}

static void play_calloc(struct stage *stage, uint64_t word)
{
	size_t size = WORD_SIZE(word);
	unsigned char *block = calloc(1, size);

	if (block && size > 0 && (block[0] || block[size - 1]))
		fail("calloc() returned %zu bytes that are not zero", size);
	publish(stage, word, block, 0);
}

static void play_aligned(struct stage *stage, uint64_t word, uint64_t shift)
{
	size_t alignment = (size_t)1 << shift;
	void *block = NULL;

	if (alignment < ALIGN_MIN)
		alignment = ALIGN_MIN;
	if (posix_memalign(&block, alignment, WORD_SIZE(word)) != 0)
		block = NULL;
	publish(stage, word, block, 0);
}

/* To 0 bytes it would be a free in one allocator and none in another. */
static void play_realloc(struct stage *stage, uint64_t word, uint64_t old)
{
	size_t size = WORD_SIZE(word);
	unsigned char *block = take(stage, old);

	block = realloc(block, size ? size : 1);
	if (block && WORD_SIZE(old) > 0 && block[0] != tag_of(old))
		fail("realloc() lost the bytes of a block");
	publish(stage, word, block, WORD_SIZE(old));
}

static void *run_player(void *argument);

static void start_player(struct stage *stage, unsigned int index)
{
	struct player *player = &stage->players[index];
	pthread_attr_t attributes;

	__atomic_store_n(&player->time, player->lane->time, __ATOMIC_RELEASE);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (pthread_create(&player->thread, &attributes, run_player, player))
		fail("thread %u can't be started", index);
	pthread_attr_destroy(&attributes);
}

/* Let the others come to the time before @time, at least. */
static void wait_for_others(struct player *self, uint32_t time)
{
	struct stage *stage = self->stage;

	__atomic_store_n(&self->time, time, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < stage->player_count; i++) {
		unsigned int spins = 0;

		while (__atomic_load_n(&stage->players[i].time,
				       __ATOMIC_ACQUIRE) < time - 1)
			pause_for(&spins);
	}
}

/* Do one step; the words that it has. */
static size_t play_step(struct player *player, const uint64_t *word)
{
	struct stage *stage = player->stage;

	switch (WORD_STEP(*word)) {
	case STEP_MALLOC:
		publish(stage, *word, malloc(WORD_SIZE(*word)), 0);
		return 1;
	case STEP_CALLOC:
		play_calloc(stage, *word);
		return 1;
	case STEP_ALIGNED:
		play_aligned(stage, word[0], word[1]);
		return 2;
	case STEP_REALLOC:
		play_realloc(stage, word[0], word[1]);
		return 2;
	case STEP_FREE:
		free(take(stage, *word));
		return 1;
	case STEP_FREE_NULL:
		free(NULL);
		return 1;
	case STEP_USABLE:
		malloc_usable_size(peek(stage, *word));
		return 1;
	case STEP_START:
		start_player(stage, WORD_SLOT(*word));
		return 1;
	case STEP_WAIT:
		wait_for_others(player, (uint32_t)WORD_SIZE(*word));
	}
	return 1;
}

static void *run_player(void *argument)
{
	struct player *player = argument;
	const uint64_t *word = player->lane->words;
	const uint64_t *end = word + player->lane->count;

	while (word < end)
		word += play_step(player, word);
	__atomic_store_n(&player->time, TIME_NEVER, __ATOMIC_RELEASE);
	return NULL;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A thread is started by one of a smaller number: joined in order, all end. */
double stage_play(struct stage *stage)
{
	double start;

	for (unsigned int i = 0; i < stage->player_count; i++)
		stage->players[i].time = TIME_NEVER;
	stage->players[0].time = 0;
	start = seconds_now();
	run_player(&stage->players[0]);
	for (unsigned int i = 1; i < stage->player_count; i++)
		pthread_join(stage->players[i].thread, NULL);
	return seconds_now() - start;
}

void stage_clear(struct stage *stage)
{
	for (size_t i = 0; i < stage->slot_count; i++) {
		free(stage->slots[i]);
		stage->slots[i] = NULL;
	}
}
