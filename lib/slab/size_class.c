/* SPDX-License-Identifier: MIT */
/* The table from sizes to classes, computed by the compiler. */
#include "slab/size_class.h"

/* Offset of the last byte of a size of @n quanta; zero bytes count as one. */
#define LAST(n) (((n) ? (n) : 1ul) * QUANTUM - 1)

/* log2 of that, where steps grow from 2^@base on; elsewhere anything that
 * compiles. */
#define DOUBLING(n, base) (63 - __builtin_clzl(LAST(n) | 1ul << (base)))

/* The class of those that start above 2^@base, 2^@shift per doubling. */
#define STEPPED(n, base, shift)                      \
	(((DOUBLING(n, base) - (base)) << (shift)) + \
	 (LAST(n) >> (DOUBLING(n, base) - (shift)) & ((1 << (shift)) - 1)))

#define LINEAR(n) (LAST(n) / QUANTUM + 1)
#define COARSE(n) (LINEAR_CLASSES + 1 + STEPPED(n, LINEAR_SHIFT, COARSE_SHIFT))
#define FINE(n)	  (FINE_BASE + STEPPED(n, COARSE_MAX_SHIFT, FINE_SHIFT))

/* The cast is for the value that isn't chosen, which need not fit. */
#define CLASS(n)                                                   \
	((uint8_t)(LAST(n) < 1ul << LINEAR_SHIFT       ? LINEAR(n) \
		   : LAST(n) < 1ul << COARSE_MAX_SHIFT ? COARSE(n) \
						       : FINE(n)))

#define CLASSES_4(n) CLASS(n), CLASS((n) + 1), CLASS((n) + 2), CLASS((n) + 3)
#define CLASSES_16(n)                                         \
	CLASSES_4(n), CLASSES_4((n) + 4), CLASSES_4((n) + 8), \
		CLASSES_4((n) + 12)
#define CLASSES_64(n)                                              \
	CLASSES_16(n), CLASSES_16((n) + 16), CLASSES_16((n) + 32), \
		CLASSES_16((n) + 48)
#define CLASSES_256(n)                                              \
	CLASSES_64(n), CLASSES_64((n) + 64), CLASSES_64((n) + 128), \
		CLASSES_64((n) + 192)
#define CLASSES_1024(n)                                                 \
	CLASSES_256(n), CLASSES_256((n) + 256), CLASSES_256((n) + 512), \
		CLASSES_256((n) + 768)

const uint8_t size_classes[(SLAB_SIZE_MAX >> QUANTUM_SHIFT) + 1] = {
	CLASSES_1024(0ul),
	CLASSES_1024(1024ul),
	CLASS(2048ul),
};
