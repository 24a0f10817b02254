/* SPDX-License-Identifier: MIT */
/* Doing what a plan says, on the malloc under test. */
#ifndef REPLAY_PLAY_H
#define REPLAY_PLAY_H

#include "plan.h"

struct stage;

/* Everything that playing @plan needs. */
struct stage *stage_make(const struct plan *plan);

/* Play it once; the seconds that it took. */
double stage_play(struct stage *stage);

/* Free what the program had not freed at its end. */
void stage_clear(struct stage *stage);

#endif
