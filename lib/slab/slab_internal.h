/* SPDX-License-Identifier: MIT */
/* What the files of slab/ share. Private to slab/. */
#ifndef SLAB_SLAB_INTERNAL_H
#define SLAB_SLAB_INTERNAL_H

#include "slab/slab.h"

/*
 * A block of pages carved into objects. Which of them are free is kept here and
 * not in the objects: free memory isn't written, the lowest object is found at
 * once, and a double free is a bit that is set already.
 */
struct slab {
	struct list link; /* [lock] in a list of its cache, or on none: full */
	struct cache *cache; /* [fixed at creation] */
	char *start;	     /* [fixed at creation] */
	uint16_t free;	     /* [lock] objects */
	uint16_t untouched;  /* [lock] objects from here on were never taken */
	uint32_t idle;	/* [lock] strips free when last seen, and not taken */
	uint32_t clean; /* [lock] strips that read as zero */
	bool is_zero;	/* [fixed at creation] untouched objects read as zero */
	uint8_t level;	/* [lock] which partial list it's on */
	uint8_t pass;	/* [lock] of the sweep that saw it last */
	uint64_t free_map[]; /* [lock] a set bit is a free object */
};

enum {
	SLAB_OBJECTS_MAX = 1 << 12, /* 64 KiB of 16 bytes */
	STRIPS = 32,
};

/* A strip of a slab is a page, or a 32nd of the slab, if that is more. */
static inline unsigned int strip_shift(const struct cache *cache)
{
	unsigned int order = cache->slab_order > 5 ? cache->slab_order - 5 : 0;

	return order + os_page_shift;
}

/* Take up to @count objects out of slabs of @cache, making new slabs as needed;
 * how many. Does not hold the cache's lock over the making. */
unsigned int slabs_take(struct cache *cache, void **objects, unsigned int count,
			unsigned int flags);

/* Return objects to their slabs; slabs that become empty beyond the number kept
 * are given back. Panics on an object that is free, or isn't one. */
void slabs_return(struct cache *cache, void *const *objects,
		  unsigned int count);

/* Give runs that were in an array back to the pages. Panics on what is none. */
void runs_return(void *const *runs, unsigned int count);

/* Assign the arrays of the run classes. */
void runs_init(void);

/* Give back slabs whose objects are all free until @keep are left. */
void slabs_shrink(struct cache *cache, unsigned int keep);

/* Take @count free objects from the one at @first out of their slab's map, and
 * put them back; see sweep.c. */
void slab_isolate_locked(struct slab *slab, size_t first, size_t count);
void slab_restore_locked(struct slab *slab, size_t first, size_t count);

/* A pass over the slabs of all caches, in steps; see sweep.c. */
struct sweep {
	uint8_t pass;
	bool is_waiting; /* there's memory for the next pass to return */
	bool is_refused; /* by the system: it ends here */
	long budget;	 /* of this step */
};

/* Go on with the pass; it's through with @cache if some of the budget is left.
 */
void cache_sweep(struct cache *cache, struct sweep *sweep);

/* Set what follows from the size: order, objects, reciprocal. False if no slab
 * can hold such objects. */
bool slab_layout(struct cache *cache);

/* A thread that wasn't known to be registered may turn out to be. */
static inline void attach_thread(void)
{
	if (!os_rseq_is_attached())
		os_rseq_attach();
}

/* Barn: a batch to be put in or taken out. put fails if the barn is full. */
void barn_init(struct barn *barn, size_t batch_bytes);
bool barn_put(struct barn *barn, void *const *objects, unsigned int count,
	      unsigned int flags);
unsigned int barn_get(struct barn *barn, void **objects, unsigned int flags);

/* Free the sheaves that hold nothing; the objects of the others are given to
 * slabs_return(). */
void barn_empty_out(struct cache *cache);

#endif
