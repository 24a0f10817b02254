/* SPDX-License-Identifier: MIT */
/* What the files of the heap's fuzzer share. */
#ifndef FUZZ_FUZZ_HEAP_H
#define FUZZ_FUZZ_HEAP_H

#include "fuzz.h"
#include "heap/heap.h"

enum {
	KIND_BLOCK,	 /* from the malloc family */
	KIND_PAGES,	 /* from sm_pages_alloc() */
	KIND_OBJECT,	 /* of a cache, its owner */
	KIND_BREAK,	 /* the bytes of a heap below the program's break */
	KIND_HEAP_BLOCK, /* from sm_heap_alloc() of its owner */
};

/*
 * Some operations are made as a signal handler does that has interrupted the
 * allocator: this thread is inside the gate already. It gets emergency memory,
 * and what it frees is freed later. True if this operation is one.
 */
bool begin_interrupt(struct input *input);
void end_interrupt(bool is_interrupt);

/* There was one in this input: counters may lag behind. */
bool has_been_interrupted(void);

/* Flags of enum sm_flags that are valid together; mostly none. */
unsigned int any_flags(struct input *input);

/*
 * @result is what an allocation with @flags has returned, that began when there
 * had been @calls system calls. False if it should be tried once more.
 */
bool accept_result(const void *result, unsigned int flags, size_t calls);

/* The operations of heap_blocks.c, heap_caches.c and heap_segments.c, and what
 * frees all of theirs. */
void alloc_block(struct input *input);
void realloc_block(struct input *input);
void free_block(struct input *input);
void alloc_pages(struct input *input);
void free_pages(struct input *input);
void refuse_nonsense(struct input *input);
void free_all_blocks(void);

void create_or_destroy_cache(struct input *input);
void alloc_objects(struct input *input);
void free_objects(struct input *input);
void alloc_bulk(struct input *input);
void free_bulk(struct input *input);
void shrink_cache(struct input *input);
void check_caches(void);
void free_all_objects(void);

void create_or_destroy_heap(struct input *input);
void move_break(struct input *input);
void alloc_from_heap(struct input *input);
void free_to_heap(struct input *input);
void reset_heap(struct input *input);
void check_heaps(void);
void free_all_heaps(void);

#endif
