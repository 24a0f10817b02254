/* SPDX-License-Identifier: MIT */
/* The flags of an allocation, and what it means that one must not fail. */
#include <errno.h>

#include "heap/heap.h"

bool flags_are_valid(unsigned int flags)
{
	const unsigned int exclusive = SM_NOWAIT | SM_NOFAIL;

	if ((flags & ~(unsigned int)(SM_ZERO | SM_NOWAIT | SM_NOFAIL)) == 0 &&
	    (flags & exclusive) != exclusive)
		return true;
	errno = EINVAL;
	return false;
}

static sm_nofail_callback nofail; /* [atomic] */

sm_nofail_callback sm_set_nofail(sm_nofail_callback callback)
{
	return __atomic_exchange_n(&nofail, callback, __ATOMIC_ACQ_REL);
}

bool nofail_retry(size_t size)
{
	sm_nofail_callback callback =
		__atomic_load_n(&nofail, __ATOMIC_ACQUIRE);

	if (callback && callback(size) == 0)
		return true;
	panic("an allocation that must not fail found no memory of so many "
	      "bytes",
	      (void *)size);
}
