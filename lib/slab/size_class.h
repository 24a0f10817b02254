/* SPDX-License-Identifier: MIT */
/*
 * Size classes: which cache serves a request of so many bytes.
 *
 *	class	1    2    3  ..  8 |   9   10   11   12 |  13 ..   40
 *	bytes	16   32   48 .. 128| 160  192  224  256 | 320 .. 32768
 *		  steps of 16      |  four per doubling ...
 *
 * Rounding up to a class wastes at most 15 bytes up to 128 and at most a fifth
 * of the object above. Class 0 is no class: the number of "not in a cache".
 *
 * Above are the classes of runs of pages, eight per doubling, up to 1 MiB; they
 * waste at most a ninth:
 *
 *	class	41    42    43 ..  80
 *	KiB	36    40    44 .. 1024
 */
#ifndef SLAB_SIZE_CLASS_H
#define SLAB_SIZE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUANTUM_SHIFT = 4, /* every class is a multiple of 16 bytes */
	QUANTUM = 1 << QUANTUM_SHIFT,
	LINEAR_SHIFT = 7, /* steps are even up to 128 bytes, then grow */
	LINEAR_CLASSES = 1 << (LINEAR_SHIFT - QUANTUM_SHIFT),
	STEPS_SHIFT = 2, /* four classes per doubling above that */
	SIZE_MAX_SHIFT = 15,
	SLAB_SIZE_MAX = 1 << SIZE_MAX_SHIFT, /* 32 KiB: the largest class */
	SIZE_CLASSES = LINEAR_CLASSES +
		       ((SIZE_MAX_SHIFT - LINEAR_SHIFT) << STEPS_SHIFT),
	RUN_MAX_SHIFT = 20,
	RUN_BYTES_MAX = 1 << RUN_MAX_SHIFT, /* 1 MiB: the largest run */
	RUN_STEPS_SHIFT = 3,		    /* eight classes per doubling */
	RUN_CLASS_FIRST = SIZE_CLASSES + 1,
	RUN_CLASS_LAST = SIZE_CLASSES +
			 ((RUN_MAX_SHIFT - SIZE_MAX_SHIFT) << RUN_STEPS_SHIFT),
};

/* The class of a size, for each multiple of 16 up to SLAB_SIZE_MAX. */
extern const uint8_t size_classes[(SLAB_SIZE_MAX >> QUANTUM_SHIFT) + 1]
	__attribute__((visibility("hidden")));

/* The smallest class whose objects hold @size bytes; @size <= SLAB_SIZE_MAX. */
static inline unsigned int size_class_of(size_t size)
{
	return size_classes[(size + QUANTUM - 1) >> QUANTUM_SHIFT];
}

/* Bytes of an object of @class, 1 to SIZE_CLASSES. */
static inline size_t size_class_bytes(unsigned int class)
{
	unsigned int above = class - 1 - LINEAR_CLASSES;
	unsigned int doubling, step;

	if (class <= LINEAR_CLASSES)
		return (size_t) class << QUANTUM_SHIFT;
	doubling = LINEAR_SHIFT + (above >> STEPS_SHIFT);
	step = (above & ((1 << STEPS_SHIFT) - 1)) + 1;
	return ((size_t)1 << doubling) +
	       ((size_t)step << (doubling - STEPS_SHIFT));
}

/* The smallest run class of at least @size bytes, above SLAB_SIZE_MAX and up to
 * RUN_BYTES_MAX. */
static inline unsigned int run_class_of(size_t size)
{
	size_t last = size - 1;
	unsigned int doubling = 63 - (unsigned int)__builtin_clzl(last);
	size_t step = last >> (doubling - RUN_STEPS_SHIFT);

	/* The leading bit of the step is 8: it counts a doubling. */
	return RUN_CLASS_FIRST +
	       (unsigned int)(((doubling - SIZE_MAX_SHIFT) << RUN_STEPS_SHIFT) +
			      step - (1 << RUN_STEPS_SHIFT));
}

static inline size_t run_class_bytes(unsigned int class)
{
	unsigned int above = class - RUN_CLASS_FIRST;
	unsigned int doubling = SIZE_MAX_SHIFT + (above >> RUN_STEPS_SHIFT);
	size_t step = (above & ((1 << RUN_STEPS_SHIFT) - 1)) + 1;

	return ((size_t)1 << doubling) + (step << (doubling - RUN_STEPS_SHIFT));
}

static inline bool is_run_class(unsigned int class)
{
	return class >= RUN_CLASS_FIRST && class <= RUN_CLASS_LAST;
}

#endif
