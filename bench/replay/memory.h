/* SPDX-License-Identifier: MIT */
/* Memory of the replay's own: none of it comes from the malloc under test. */
#ifndef REPLAY_MEMORY_H
#define REPLAY_MEMORY_H

#include <stddef.h>

/* Zeroed memory, all of it present; the program ends if there is none. */
void *memory_map(size_t bytes);

/* Give it back. */
void memory_unmap(void *memory, size_t bytes);

/* How much of it there is now. */
size_t memory_own_bytes(void);

/* Forget how much memory the process once had; see memory_peak_kib(). */
void memory_reset_peak(void);

/* Memory of the process since the reset at most, and now; KiB, less our own. */
long memory_peak_kib(void);
long memory_now_kib(void);

#endif
