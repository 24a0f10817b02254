/* SPDX-License-Identifier: MIT */
/*
 * Where no restartable sequences are written for the processor: every operation
 * goes to the slow path, and there to a fallback slot. Private to slab/.
 */
#ifndef SLAB_CPU_ARRAY_GENERIC_H
#define SLAB_CPU_ARRAY_GENERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static ALWAYS_INLINE bool cpu_array_pop(unsigned int id, void **ret_object)
{
	(void)id;
	(void)ret_object;
	return false;
}

static ALWAYS_INLINE bool cpu_array_push(unsigned int id, void *object)
{
	(void)id;
	(void)object;
	return false;
}

static inline unsigned int rseq_take(unsigned int id, void **objects,
				     unsigned int count)
{
	(void)id;
	(void)objects;
	(void)count;
	return 0;
}

static inline unsigned int rseq_give(unsigned int id, void *const *objects,
				     unsigned int count)
{
	(void)id;
	(void)objects;
	(void)count;
	return 0;
}

static inline size_t rseq_set_end(unsigned int id, size_t first, size_t old,
				  size_t end)
{
	(void)id;
	(void)first;
	(void)old;
	(void)end;
	return SIZE_MAX;
}

#endif
