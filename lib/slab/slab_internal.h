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
	uint32_t free;	     /* [lock] objects */
	uint32_t untouched;  /* [lock] objects from here on were never taken */
	bool is_zero;	     /* [fixed at creation] those read as zero */
	uint8_t level;	     /* [lock] which partial list it's on */
	uint64_t free_map[]; /* [lock] a set bit is a free object */
};

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

/* Give back all slabs whose objects are all free. */
void slabs_shrink(struct cache *cache);

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
