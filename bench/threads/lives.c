/* SPDX-License-Identifier: MIT */
/* Threads that come and go: how dear is a thread's first block, and what
 * happens to what a thread leaves behind? */
#include <stdlib.h>

#include "choices.h"
#include "shim.h"
#include "team.h"

enum {
	SPAWN_BLOCKS = 100,
	SLOTS = 1000,
	SESSION = 2000, /* operations before a thread has a successor */
};

/* A short life: a hundred blocks, all given back. */
static void *live_shortly(void *argument)
{
	void *blocks[SPAWN_BLOCKS];
	unsigned int choice = (uintptr_t)argument;

	for (unsigned int i = 0; i < SPAWN_BLOCKS; i++)
		blocks[i] = choices_take(choice + i);
	for (unsigned int i = 0; i < SPAWN_BLOCKS; i++)
		free(blocks[i]);
	return NULL;
}

/* One short life after the other; an operation is a life. */
static void start_and_join(struct member *self)
{
	uintptr_t choice = self->index * CHOICES_APART;

	for (int64_t i = 0; i < self->operations; i++) {
		void *argument = (void *)(choice + i * SPAWN_BLOCKS);

		pthread_join(team_thread(live_shortly, argument), NULL);
	}
}

static void spawn(struct bench *bench)
{
	choices_draw();
	team_run(bench, start_and_join);
}

/* The sessions of a server: a thread replaces objects in random slots, for a
 * while, and its successor carries on with the same slots. */
struct session {
	void *slots[SLOTS];
	unsigned int choice;
};

static void *serve(void *argument)
{
	struct session *session = argument;

	for (int i = 0; i < SESSION; i++) {
		unsigned int choice = session->choice++;
		void **slot = &session->slots[choices_place[choice % CHOICES] %
					      SLOTS];

		free(*slot);
		*slot = choices_take(choice);
	}
	return NULL;
}

static void hold_sessions(struct member *self)
{
	struct session session = { .choice = self->index * CHOICES_APART };

	for (int64_t i = 0; i < self->operations; i += SESSION)
		pthread_join(team_thread(serve, &session), NULL);
	for (unsigned int i = 0; i < SLOTS; i++)
		free(session.slots[i]);
}

static void server(struct bench *bench)
{
	choices_draw();
	team_run(bench, hold_sessions);
}

static const struct bench_row rows[] = {
	{ "spawn/1", spawn, 1, 12000 },
	{ "spawn/8", spawn, 8, 12000 },
	{ "server/1", server, 1, SESSION * 2500 },
	{ "server/2", server, 2, SESSION * 4000 },
	{ "server/8", server, 8, SESSION * 4000 },
	{ "server/64", server, 64, SESSION * 4000 },
};
BENCH_ROWS(rows)
