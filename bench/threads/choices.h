/* SPDX-License-Identifier: MIT */
/* Sizes and places that are drawn before the clock runs; all threads read the
 * same ones, each from a start of its own. */
#ifndef BENCH_THREADS_CHOICES_H
#define BENCH_THREADS_CHOICES_H

#include <stdint.h>
#include <stdlib.h>

enum {
	CHOICES = 1 << 16,
	CHOICES_APART = 40503, /* between the starts of two threads; odd */
};

extern uint16_t choices_size[CHOICES];	/* of mixed sizes */
extern uint16_t choices_place[CHOICES]; /* any number */

void choices_draw(void);

/* A new block of the size that is the choice, with its first byte written. */
static inline void *choices_take(unsigned int choice)
{
	void *block = malloc(choices_size[choice % CHOICES]);

	*(volatile char *)block = 1;
	return block;
}

#endif
