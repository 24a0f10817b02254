/* SPDX-License-Identifier: MIT */
/* The time, as coarse as it may be to cost nothing. */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

/*
 * Milliseconds since some moment in the past; never runs backwards. It steps
 * with the kernel's timer (every 1 to 10 ms) and enters the kernel only where
 * there is no vDSO.
 */
uint64_t os_coarse_ms(void);

#endif
