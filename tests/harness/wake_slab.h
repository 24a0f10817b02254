/* SPDX-License-Identifier: MIT */
/* As wake_page.h, one layer further up. */
#ifndef HARNESS_WAKE_SLAB_H
#define HARNESS_WAKE_SLAB_H

#include "slab/slab.h"

#include "wake_page.h"

static inline void wake_slabs(void)
{
	wake_pages((size_t)1 << 32);
	EXPECT(slab_init());
}

#endif
