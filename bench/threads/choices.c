/* SPDX-License-Identifier: MIT */
/* Sizes and places that are drawn before the clock runs. */
#include "choices.h"

#include "random.h"

uint16_t choices_size[CHOICES];
uint16_t choices_place[CHOICES];

void choices_draw(void)
{
	uint64_t random = BENCH_SEED;

	for (unsigned int i = 0; i < CHOICES; i++) {
		choices_size[i] = bench_mixed_size(&random);
		choices_place[i] = bench_random(&random);
	}
}
