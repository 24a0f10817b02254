/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU page lists: runs that were freed on a CPU, by their length, for the
 * next request of the same length. The kernel's struct per_cpu_pages, by count
 * instead of by order since runs are exact. Private to page/.
 */
#ifndef PAGE_PCP_H
#define PAGE_PCP_H

#include "page/zone.h"

enum {
	PCP_COUNT_MAX = 64
}; /* pages of the longest run kept */

/* Make lists for @cpus CPUs; without them every run goes to its zone. */
void pcp_init(unsigned int cpus);

/* A run of exactly @count pages of @use; NULL if none is at hand. */
struct page *pcp_take(size_t count, enum page_use use);

/* Keep @run, a PAGE_RUN or PAGE_SLAB no more; false if it can't be kept. */
bool pcp_give(struct page *run);

/* Give every kept run back to its zone. */
void pcp_drain(void);

/* Pages in the lists. Needs no lock. */
size_t pcp_pages(void);

/* Give the run that @run describes back to its zone. */
void pcp_return_run(struct page *run);

#endif
