/* SPDX-License-Identifier: MIT */
/* Blocks that are not ours: ask the next allocator. */
#include "heap/next.h"

#include "heap/heap.h"

static const struct sm_next *next; /* [atomic] */

void sm_set_next(const struct sm_next *other)
{
	__atomic_store_n(&next, other, __ATOMIC_RELEASE);
}

/* The next allocator, which owns @block. */
static const struct sm_next *owner_of(const void *block, const char *complaint)
{
	const struct sm_next *other = __atomic_load_n(&next, __ATOMIC_ACQUIRE);

	if (!other || !other->owns(block))
		panic(complaint, block);
	return other;
}

void next_free(void *block)
{
	owner_of(block, "free of a pointer that is not a block")->free(block);
}

size_t next_usable_size(const void *block)
{
	return owner_of(block, "use of a pointer that is not a block")
		->usable_size(block);
}
