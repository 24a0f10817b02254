/* SPDX-License-Identifier: MIT */
/*
 * What the files of vma/ share: the state and its lock.
 *
 * A mapping is in one of four places, and its struct goes with it:
 *
 *	live	    in the tree, by its start
 *	recent	    on a shelf: freed not long ago, most of its memory present
 *	stranded    on a shelf: the system refused to unmap it
 *	nowhere	    held by the one thread that creates, resizes or unmaps it
 *
 * System calls are made only for mappings that are nowhere, without the lock:
 * unmapping gigabytes takes many milliseconds. Since the struct exists as long
 * as the mapping, no change of place allocates, so none can fail.
 */
#ifndef VMA_MAPPING_H
#define VMA_MAPPING_H

#include <stdatomic.h>

#include "vma/vma.h"

struct mapping {
	struct tree_node node; /* [lock] its key is the start of the mapping */
	struct list shelf;     /* [lock] while on a shelf or to be unmapped */
	size_t bytes;	       /* [lock] */
	unsigned int shelved;  /* [lock] tick at which it was freed */
	bool is_zero;	       /* [lock] stranded without its memory */
};

struct shelf {
	struct list mappings; /* [lock] last freed first */
	size_t count;	      /* [lock] on the list */
	size_t bytes;	      /* [lock] in them */
};

struct vma_state {
	struct lock lock;
	struct tree tree; /* [lock] live mappings */
	size_t count;	  /* [lock] in the tree */
	size_t bytes;	  /* [lock] in them */
	size_t allocs;	  /* [lock] since the start */
	size_t hits;	  /* [lock] of them, from a shelf */

	struct shelf recent;	 /* [lock] */
	struct shelf stranded;	 /* [lock] */
	unsigned int tick;	 /* [lock] ticks so far */
	_Atomic uint64_t due_ms; /* [lock to write, atomic to read] next tick */
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

/* @size in whole pages, at least one; 0 if it's more than there can be. */
size_t vma_bytes_for(size_t size);

/* The live mappings: find the one that starts at @start, or NULL; add; remove.
 */
struct mapping *vma_find_locked(const void *start);
void vma_insert_locked(struct mapping *mapping);
void vma_remove_locked(struct mapping *mapping);

/*
 * Take a freed mapping of at least @bytes, but not many more, at a multiple of
 * @align, or NULL.
 */
struct mapping *vma_cache_take_locked(size_t bytes, size_t align);

/*
 * Keep @mapping, just freed. Those that there is no room for, perhaps itself,
 * are put on @surplus, to be unmapped by mappings_unmap().
 */
void vma_cache_put_locked(struct mapping *mapping, struct list *surplus);

/* Let the cache grow older, if @now_ms says so; @surplus as above. */
void vma_cache_tick_locked(uint64_t now_ms, struct list *surplus);

/*
 * Unmap all of the list @surplus, and free their structs; one that the system
 * refuses to unmap is stranded instead. Without the lock. Bytes given back.
 */
size_t mappings_unmap(struct list *surplus);

#endif
