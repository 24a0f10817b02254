/* SPDX-License-Identifier: MIT */
/* Keep freed runs of pages close to the CPU that freed them. */
#include "page/pcp.h"

enum {
	/* Bytes kept per CPU; a batch of half of it goes back when there is
	 * more, so that the zone's lock is taken for many runs at once. */
	HIGH_BYTES = 1 << 20,
	BATCH_SHIFT = 1,
	LISTED_USES = USE_META, /* all uses before it */
};

struct pcp {
	_Alignas(CACHE_LINE_BYTES) struct lock lock;
	uint32_t pages;	 /* [lock to write, atomic to read] in the lists */
	uint32_t cursor; /* [lock] list that is drained next */
	/* [lock] by use and count, most recently freed first */
	struct page *lists[LISTED_USES][PCP_COUNT_MAX];
};

static struct {
	struct pcp *cpus;   /* [fixed at pcp_init()] */
	unsigned int count; /* [fixed at pcp_init()] */
} pcp;

/* A few share a page with other structures. */
static struct pcp *alloc_lists(size_t bytes)
{
	size_t pages = round_up(bytes, os_page_bytes()) >> os_page_shift;
	bool is_zero;

	if (bytes <= META_BYTES_MAX)
		return meta_alloc(bytes, 0);
	if (pages > pages_per_block())
		return NULL;
	return pages_alloc(pages, 1, USE_META, 0, &is_zero);
}

void pcp_init(unsigned int cpus)
{
	pcp.cpus = alloc_lists(cpus * sizeof(struct pcp));
	if (!pcp.cpus)
		return;
	for (unsigned int i = 0; i < cpus; i++)
		lock_init(&pcp.cpus[i].lock, RANK_PCP);
	pcp.count = cpus;
}

/* This CPU's lists, locked; NULL if somebody else has them just now. */
static struct pcp *lock_own(void)
{
	struct pcp *own;

	if (pcp.count == 0)
		return NULL;
	own = &pcp.cpus[os_cpu_hint() % pcp.count];
	return lock_try(&own->lock) ? own : NULL;
}

static void count_pages(struct pcp *own, uint32_t pages)
{
	__atomic_store_n(&own->pages, own->pages + pages, __ATOMIC_RELAXED);
}

static struct page *pop_run(struct pcp *own, struct page **list)
{
	struct page *run = *list;

	if (run) {
		*list = run->next;
		count_pages(own, -run->count);
	}
	return run;
}

struct page *pcp_take(size_t count, enum page_use use)
{
	struct pcp *own;
	struct page *run;

	if (count > PCP_COUNT_MAX || use >= (enum page_use)LISTED_USES)
		return NULL;
	own = lock_own();
	if (!own)
		return NULL;
	run = pop_run(own, &own->lists[use][count - 1]);
	lock_release(&own->lock);
	return run;
}

/* Unlink lists, the next in turn first, until half is left; returns what was
 * unlinked, chained. */
static struct page *unlink_batch(struct pcp *own, uint32_t keep)
{
	struct page **lists = &own->lists[0][0];
	struct page *chain = NULL, *run;

	for (unsigned int i = 0;
	     i < LISTED_USES * PCP_COUNT_MAX && own->pages > keep; i++) {
		struct page **list = &lists[own->cursor];

		while (own->pages > keep && (run = pop_run(own, list))) {
			run->next = chain;
			chain = run;
		}
		own->cursor = (own->cursor + 1) % (LISTED_USES * PCP_COUNT_MAX);
	}
	return chain;
}

static void return_chain(struct page *chain)
{
	while (chain) {
		struct page *next = chain->next;

		pcp_return_run(chain);
		chain = next;
	}
}

bool pcp_give(struct page *run)
{
	uint32_t high = HIGH_BYTES >> os_page_shift;
	struct page *surplus = NULL, **list;
	struct pcp *own;

	if (run->count > PCP_COUNT_MAX || run->use >= LISTED_USES)
		return false;
	own = lock_own();
	if (!own)
		return false;
	run->type = PAGE_CACHED;
	list = &own->lists[run->use][run->count - 1];
	run->next = *list;
	*list = run;
	count_pages(own, run->count);
	if (own->pages > high)
		surplus = unlink_batch(own, high >> BATCH_SHIFT);
	lock_release(&own->lock);
	return_chain(surplus);
	return true;
}

void pcp_drain(void)
{
	for (unsigned int i = 0; i < pcp.count; i++) {
		struct page *chain;

		lock_acquire(&pcp.cpus[i].lock);
		chain = unlink_batch(&pcp.cpus[i], 0);
		lock_release(&pcp.cpus[i].lock);
		return_chain(chain);
	}
}

size_t pcp_pages(void)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < pcp.count; i++)
		sum += __atomic_load_n(&pcp.cpus[i].pages, __ATOMIC_RELAXED);
	return sum;
}
