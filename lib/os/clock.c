/* SPDX-License-Identifier: MIT */
/* The coarse monotonic clock. */
#include "os/clock.h"

#include <time.h>

uint64_t os_coarse_ms(void)
{
	struct timespec now;

	/* Can't fail, so errno is kept. */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
