/* SPDX-License-Identifier: MIT */
/*
 * What the files of vma/ share: the state and its lock.
 *
 * A mapping is in one of four places, and its struct goes with it:
 *
 *	live	    in the tree
 *	recent	    in the tree and on a shelf: freed not long ago, most of its
 *		    memory present
 *	stranded    on a shelf: the system refused to unmap it
 *	nowhere	    held by the one thread that creates, resizes or unmaps it
 *
 * System calls are made only for mappings that are nowhere, without the lock:
 * unmapping gigabytes takes many milliseconds.
 */
#ifndef VMA_MAPPING_H
#define VMA_MAPPING_H

#include "vma/vma.h"

enum {
	/* Four for each power of two: one for every size there can be. */
	BINS = 256,

	/* What live and recent ones may have in excess of the live ones' peak.
	 */
	SLACK_BYTES = 2 << 20,

	/* A freed mapping taken whole is at most a quarter too large. */
	SURPLUS_SHIFT = 2,
};

struct mapping {
	struct tree_node node; /* [lock] its key is the start of the mapping */
	struct list by_start;  /* [lock] with all in the tree */
	struct list shelf;     /* [lock] while on a shelf or to be unmapped */
	struct list bin;      /* [lock] while recent: with others of its size */
	size_t bytes;	      /* [lock] */
	unsigned int shelved; /* [lock] tick at which it was freed */
	bool is_live;	      /* [lock] */
	bool is_zero;	      /* [lock] new, or stranded without its memory */
};

struct shelf {
	struct list mappings; /* [lock] last freed first */
	size_t count;	      /* [lock] on the list */
	size_t bytes;	      /* [lock] in them */
};

/* Recent mappings by size, so that a search looks at few. */
struct bins {
	uint64_t filled[BINS / WORD_BITS]; /* [lock] */
	struct list lists[BINS]; /* [lock] last added first; if filled */
	struct mapping *last;	 /* [lock] added, but to no bin yet; or NULL */
};

struct vma_state {
	struct lock lock;
	struct tree tree;     /* [lock] live and recent mappings, by start */
	struct list by_start; /* [lock] the same, in that order */

	size_t count;	    /* [lock] of live mappings */
	size_t bytes;	    /* [lock] in them */
	size_t peak;	    /* [lock] the most bytes were, in this epoch */
	size_t peak_before; /* [lock] in the epoch before it */
	size_t allocs;	    /* [lock] since the start */
	size_t hits;	    /* [lock] of them, from a shelf */

	struct shelf recent;   /* [lock] */
	struct shelf stranded; /* [lock] */
	struct bins bins;      /* [lock] */
	unsigned int tick;     /* [lock] ticks so far */
	uint64_t due_ms;       /* [lock] next tick */
};

extern struct vma_state vma_state;

static inline void *mapping_start(const struct mapping *mapping)
{
	return (void *)mapping->node.key;
}

/* One past the last address. */
static inline uintptr_t mapping_end(const struct mapping *mapping)
{
	return mapping->node.key + mapping->bytes;
}

/* @mapping holds @bytes and not many more, and starts at a multiple of @align.
 */
static inline bool mapping_is_good_for(const struct mapping *mapping,
				       size_t bytes, size_t align)
{
	return mapping->bytes >= bytes &&
	       mapping->bytes - bytes <= bytes >> SURPLUS_SHIFT &&
	       (mapping->node.key & (align - 1)) == 0;
}

/* The most bytes that live and recent mappings may have together. */
static inline size_t vma_most_locked(const struct vma_state *vma)
{
	return max_size(vma->peak, vma->peak_before) + SLACK_BYTES;
}

/* @size in whole pages, at least one; 0 if it's more than there can be. */
size_t vma_bytes_for(size_t size);

/*
 * A new mapping of @bytes at a multiple of @align, that is nowhere yet and all
 * zero; NULL if there's no memory. If the system won't cut off the slack of the
 * alignment, the mapping is larger. Without the lock.
 */
struct mapping *mapping_new(size_t bytes, size_t align);

/*
 * Unmap all of the list @surplus, and free their structs; one that the system
 * refuses to unmap is stranded instead. Without the lock. Bytes given back.
 */
size_t mappings_unmap(struct list *surplus);

/* The live mapping that starts at @start, or NULL. */
struct mapping *vma_find_locked(const void *start);

/*
 * Let @mapping, which is nowhere, be live; what the cache must drop for it is
 * put on @surplus, to be unmapped by mappings_unmap() before anybody touches
 * @mapping. Let one that is live be nowhere.
 */
void vma_insert_locked(struct mapping *mapping, struct list *surplus);
void vma_remove_locked(struct mapping *mapping);

/* Count @mapping, which is in the tree, as live, or no more so. */
void vma_revive_locked(struct mapping *mapping);
void vma_retire_locked(struct mapping *mapping);

/* Put @mapping into the tree, or take it off. */
void mapping_link_locked(struct mapping *mapping);
void mapping_unlink_locked(struct mapping *mapping);

/* The recent mapping that ends where @mapping starts, or NULL; that starts
 * where it ends. */
struct mapping *mapping_before_locked(const struct mapping *mapping);
struct mapping *mapping_after_locked(const struct mapping *mapping);

/*
 * Cut the first @bytes off @mapping, which is in the tree: they become a
 * mapping of their own, also in the tree but neither live nor on a shelf, which
 * is returned. NULL if there's no memory for its struct. Who counts bytes by
 * @mapping's does so anew.
 */
struct mapping *mapping_split_locked(struct mapping *mapping, size_t bytes,
				     unsigned int flags);

/* Make @after, on no shelf, a part of @mapping, which ends where it starts. */
void mapping_merge_locked(struct mapping *mapping, struct mapping *after);

/* The bin of a mapping of @bytes. */
unsigned int vma_bin_of(size_t bytes);

void vma_bins_add_locked(struct mapping *mapping);
void vma_bins_remove_locked(struct mapping *mapping);

/*
 * A recent mapping with @bytes at a multiple of @align, not necessarily at its
 * start: the last if it's good for them, else one of the smallest; or NULL.
 */
struct mapping *vma_bins_find_locked(size_t bytes, size_t align);

/*
 * Take @bytes at a multiple of @align, or not many more, of what is recent: a
 * mapping that is live now, or NULL.
 */
struct mapping *vma_cache_take_locked(size_t bytes, size_t align,
				      unsigned int flags);

/* A stranded mapping of @bytes or not many more, at a multiple of @align, which
 * is nowhere now; or NULL. */
struct mapping *vma_cache_take_stranded_locked(size_t bytes, size_t align);

/* Keep @mapping, which is in the tree and live no more. */
void vma_cache_put_locked(struct mapping *mapping);

/*
 * Let @mapping, which is live, grow to @bytes, or better to @most, into what is
 * kept right behind it; false if that's not enough.
 */
bool vma_cache_extend_locked(struct mapping *mapping, size_t bytes,
			     size_t most);

/* Drop the oldest that are kept as far as the limit demands. They are put on
 * @surplus, to be unmapped by mappings_unmap(). */
void vma_cache_limit_locked(struct list *surplus);

/* @mapping couldn't be unmapped: keep it, all zero if @is_zero. */
void vma_cache_strand(struct mapping *mapping, bool is_zero);

#endif
