/* SPDX-License-Identifier: MIT */
/*
 * The members of the malloc family that mean something else than their sm_
 * counterparts, as glibc 2.36 has them.
 */
#include <slubmalloc/malloc.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "preload.h"

/* Functions of old that no header declares any more. */
SM_EXPORT void *malloc_get_state(void);
SM_EXPORT int malloc_set_state(void *state);

/* The largest power of two. */
#define ALIGNMENT_MAX (SIZE_MAX / 2 + 1)

static bool is_power_of_two(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* The smallest power of two from @n up; @n is at most ALIGNMENT_MAX. */
static size_t round_up_to_power(size_t n)
{
	size_t power = SM_ALIGN_MIN;

	while (power < n)
		power <<= 1;
	return power;
}

/* Like glibc, take any alignment and round it up. */
static COLD void *memalign_slow(size_t alignment, size_t size)
{
	if (alignment > ALIGNMENT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	return sm_aligned_alloc(round_up_to_power(alignment), size);
}

SM_EXPORT void *memalign(size_t alignment, size_t size)
{
	if (is_power_of_two(alignment))
		return sm_aligned_alloc(alignment, size);
	return memalign_slow(alignment, size);
}

SM_EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
	return sm_posix_memalign(ret_block, alignment, size);
}

SM_EXPORT void *valloc(size_t size)
{
	return sm_aligned_alloc((size_t)getpagesize(), size);
}

/* valloc() of whole pages; of none if @size is zero. */
SM_EXPORT void *pvalloc(size_t size)
{
	size_t last = (size_t)getpagesize() - 1;

	if (size > SIZE_MAX - last) {
		errno = ENOMEM;
		return NULL;
	}
	return sm_aligned_alloc(last + 1, (size + last) & ~last);
}

/* A heap can't be dumped into an executable any more: nobody could load it. */
SM_EXPORT void *malloc_get_state(void)
{
	errno = ENOSYS;
	return NULL;
}

SM_EXPORT int malloc_set_state(void *state)
{
	(void)state;
	return -1;
}
