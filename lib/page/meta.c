/* SPDX-License-Identifier: MIT */
/* Structures of the allocator: cut from whole pages, kept on free lists. */
#include "page/meta.h"

#include <string.h>

#include <slubmalloc/flags.h>

#include "page/page.h"

enum {
	UNIT = CACHE_LINE_BYTES,
	CHUNK_BYTES = 64 << 10, /* cut up front to back, so touched as needed */
};

struct free_object {
	struct free_object *next;
};

static struct {
	struct lock lock;
	char *next;  /* [lock] first byte that was never used */
	size_t left; /* [lock] bytes from there on */
	struct free_object *free[META_BYTES_MAX / UNIT]; /* [lock] by size */
} meta = { .lock = LOCK_INIT(RANK_META) };

static struct free_object **list_for(size_t bytes)
{
	return &meta.free[(bytes - 1) / UNIT];
}

static void *pop_free(size_t bytes)
{
	struct free_object **list = list_for(bytes);
	struct free_object *object = *list;

	if (object) {
		*list = object->next;
		memset(object, 0, bytes);
	}
	return object;
}

/* What is left of the old chunk goes to the free lists. */
static void retire_chunk(void)
{
	while (meta.left >= UNIT) {
		size_t bytes = min_size(meta.left, META_BYTES_MAX);
		struct free_object *object = (struct free_object *)meta.next;

		object->next = *list_for(bytes);
		*list_for(bytes) = object;
		meta.next += bytes;
		meta.left -= bytes;
	}
}

static bool start_chunk(unsigned int flags)
{
	size_t bytes = max_size(CHUNK_BYTES, os_page_bytes());
	bool is_zero;
	char *chunk = pages_alloc(bytes >> os_page_shift, 1, USE_META, flags,
				  &is_zero);

	if (!chunk)
		return false;
	if (!is_zero)
		memset(chunk, 0, bytes);
	retire_chunk();
	meta.next = chunk;
	meta.left = bytes;
	return true;
}

void *meta_alloc(size_t bytes, unsigned int flags)
{
	void *object;

	bytes = round_up(bytes, UNIT);
	CHECK(bytes > 0 && bytes <= META_BYTES_MAX);
	if (!lock_acquire_if(&meta.lock, !(flags & SM_NOWAIT)))
		return NULL;
	object = pop_free(bytes);
	if (!object && (meta.left >= bytes || start_chunk(flags))) {
		object = meta.next;
		meta.next += bytes;
		meta.left -= bytes;
	}
	lock_release(&meta.lock);
	return object;
}

void meta_free(void *object, size_t bytes)
{
	struct free_object *freed = object;

	bytes = round_up(bytes, UNIT);
	lock_acquire(&meta.lock);
	freed->next = *list_for(bytes);
	*list_for(bytes) = freed;
	lock_release(&meta.lock);
}
