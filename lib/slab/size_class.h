/* SPDX-License-Identifier: MIT */
/*
 * Size classes: which cache serves a request of so many bytes.
 *
 *	class	1    2    3  ..  8 |   9   10 ..   20 |   21   22 ..    60
 *	bytes	16   32   48 .. 128| 160  192 .. 1024 | 1152 1280 .. 32768
 *		  steps of 16      | four per doubling| eight per doubling
 *
 * Rounding up to a class wastes at most 15 bytes up to 128, at most a fifth of
 * the object up to 1 KiB, and a ninth above. Class 0 is no class: the number of
 * "not in a cache".
 *
 * The classes of runs of pages go on in the same steps, up to 1 MiB:
 *
 *	class	61    62    63 .. 100
 *	KiB	36    40    44 .. 1024
 */
#ifndef SLAB_SIZE_CLASS_H
#define SLAB_SIZE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
	QUANTUM_SHIFT = 4, /* every class is a multiple of 16 bytes */
	QUANTUM = 1 << QUANTUM_SHIFT,
	LINEAR_SHIFT = 7, /* steps are even up to 128 bytes, then grow */
	LINEAR_CLASSES = 1 << (LINEAR_SHIFT - QUANTUM_SHIFT),
	COARSE_SHIFT = 2, /* four classes per doubling above that */
	COARSE_MAX_SHIFT = 10,
	COARSE_CLASSES = (COARSE_MAX_SHIFT - LINEAR_SHIFT) << COARSE_SHIFT,
	FINE_SHIFT = 3, /* eight from here on */
	FINE_BASE = LINEAR_CLASSES + COARSE_CLASSES + 1,
	SIZE_MAX_SHIFT = 15,
	SLAB_SIZE_MAX = 1 << SIZE_MAX_SHIFT, /* 32 KiB: the largest class */
	SLAB_ALIGN_MAX = 1 << 12,	     /* of objects of a class */
	SIZE_CLASSES = FINE_BASE - 1 +
		       ((SIZE_MAX_SHIFT - COARSE_MAX_SHIFT) << FINE_SHIFT),
	RUN_MAX_SHIFT = 20,
	RUN_BYTES_MAX = 1 << RUN_MAX_SHIFT, /* 1 MiB: the largest run */
	RUN_CLASS_FIRST = SIZE_CLASSES + 1,
	RUN_CLASSES = (RUN_MAX_SHIFT - SIZE_MAX_SHIFT) << FINE_SHIFT,
	RUN_CLASS_LAST = SIZE_CLASSES + RUN_CLASSES,
};

/* The class of a size, for each multiple of 16 up to SLAB_SIZE_MAX. */
extern const uint8_t size_classes[(SLAB_SIZE_MAX >> QUANTUM_SHIFT) + 1]
	__attribute__((visibility("hidden")));

/* The smallest class whose objects hold @size bytes; @size <= SLAB_SIZE_MAX. */
static inline unsigned int size_class_of(size_t size)
{
	return size_classes[(size + QUANTUM - 1) >> QUANTUM_SHIFT];
}

/*
 * The smallest class that holds @size bytes at multiples of @align, a power of
 * two up to SLAB_ALIGN_MAX; @size <= SLAB_SIZE_MAX. Objects lie at multiples of
 * their size, and steps are so small that from each multiple of an alignment
 * up, the next class is a multiple of it, too.
 */
static inline unsigned int size_class_aligned(size_t size, size_t align)
{
	return size_class_of(round_up(size + (size == 0), align));
}

/* The smallest run class of at least @size bytes, above SLAB_SIZE_MAX and up to
 * RUN_BYTES_MAX. */
static inline unsigned int run_class_of(size_t size)
{
	size_t last = size - 1;
	unsigned int doubling = 63 - (unsigned int)__builtin_clzl(last);
	size_t step = last >> (doubling - FINE_SHIFT);

	/* The leading bit of the step counts a doubling. */
	return FINE_BASE + (unsigned int)(((doubling - COARSE_MAX_SHIFT - 1)
					   << FINE_SHIFT) +
					  step);
}

/* Bytes of class @index of those that start above 2^@base, 2^@shift per
 * doubling. */
static inline size_t stepped_bytes(unsigned int index, unsigned int base,
				   unsigned int shift)
{
	unsigned int doubling = base + (index >> shift);
	size_t step = (index & ((1u << shift) - 1)) + 1;

	return ((size_t)1 << doubling) + (step << (doubling - shift));
}

/* Bytes of an object or a run of @class, 1 to RUN_CLASS_LAST. */
static inline size_t size_class_bytes(unsigned int class)
{
	if (class <= LINEAR_CLASSES)
		return (size_t) class << QUANTUM_SHIFT;
	if (class < FINE_BASE)
		return stepped_bytes(class - 1 - LINEAR_CLASSES, LINEAR_SHIFT,
				     COARSE_SHIFT);
	return stepped_bytes(class - FINE_BASE, COARSE_MAX_SHIFT, FINE_SHIFT);
}

static inline bool is_run_class(unsigned int class)
{
	return class >= RUN_CLASS_FIRST && class <= RUN_CLASS_LAST;
}

#endif
