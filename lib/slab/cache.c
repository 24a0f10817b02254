/* SPDX-License-Identifier: MIT */
/* Create, find, shrink and destroy object caches. */
#include "slab/slab_internal.h"

#include <string.h>

enum {
	FIRST_OWN_ID = RUN_CLASS_LAST + 1, /* of a program's caches */
	OWN_SLOTS = 48,			   /* of their per-CPU arrays */
	ARRAY_BYTES = 64 << 10,		   /* of objects in one array, about */
	ARRAY_SLOTS_MIN = 8,
	ARRAY_SLOTS_MAX = 2048,
	BATCH_BYTES = 32 << 10, /* of objects in one sheaf, about */
	BATCH_MIN = 4,
	BATCH_MAX = 60,
	EMPTY_BYTES = 64 << 10, /* of slabs kept empty; one at least */
	ALIGN_MAX = 4096,
	/* Free memory in slabs that is worth a drain of all arrays, and the
	 * share of all slabs it must be. */
	SPARSE_BYTES = 4 << 20,
	SPARSE_SHIFT = 2,
	/* Their share that is worth a sweep, if it's more than is retained. */
	SWEEP_SHIFT = 4,
	SWEEP_MS = 50,	      /* from the begin of a pass to that of the next */
	SWEEP_BUDGET = 16384, /* of a step; see sweep.c */
};

/* [caches] Those of the size classes, made when they're first needed, side by
 * side: a process that uses a few of them touches a page or two. */
static struct cache class_caches[SIZE_CLASSES] COLD_DATA;

static struct {
	struct lock lock;
	/* [lock] those of the classes by size, then programs', oldest first */
	struct list all;
	struct cache *by_id[CPU_ARRAYS]; /* [lock to write, atomic to read] */
	unsigned int classes;		 /* [lock] how many are made */
	struct sweep sweep;		 /* [lock] */
	unsigned int swept_id;	/* [lock] where the pass is; 0: it's over */
	uint64_t next_sweep_ms; /* [lock] when the next pass begins */
} caches = { .lock = LOCK_INIT(RANK_CACHES) };

struct cache *cache_of_id(unsigned int id)
{
	return __atomic_load_n(&caches.by_id[id], __ATOMIC_ACQUIRE);
}

/* Objects in a sheaf: few of the large ones. */
static unsigned int batch_for(size_t size)
{
	return (unsigned int)clamp_size(BATCH_BYTES / size, BATCH_MIN,
					BATCH_MAX);
}

static unsigned int slots_for(const struct cache *cache)
{
	if (cache->flags & SM_CACHE_NO_SHEAVES)
		return 0;
	if (cache->id >= FIRST_OWN_ID)
		return OWN_SLOTS;
	return (unsigned int)clamp_size(ARRAY_BYTES / cache->size,
					ARRAY_SLOTS_MIN, ARRAY_SLOTS_MAX);
}

/* Fill in a zeroed @cache whose id, size, flags and constructor are set. */
static bool init_cache(struct cache *cache)
{
	size_t bytes;

	if (!slab_layout(cache))
		return false;
	bytes = (size_t)1 << (cache->slab_order + os_page_shift);
	cache->max_empty = (unsigned int)max_size(EMPTY_BYTES / bytes, 1);
	cache->batch = batch_for(cache->size);
	if (slots_for(cache) == 0 ||
	    cpu_array_assign(cache->id, slots_for(cache), cache->size) == 0)
		cache->batch = 1;
	lock_init(&cache->lock, RANK_CACHE);
	list_init(&cache->empty);
	for (int level = 0; level < PARTIAL_LEVELS; level++)
		list_init(&cache->partial[level]);
	barn_init(&cache->barn, cache->batch * cache->size);
	if (cache->batch == 1)
		cache->barn.max_full = 0;
	return true;
}

static void publish_cache_locked(struct cache *cache)
{
	struct list *next = caches.all.next;

	CHECK(lock_is_held(&caches.lock));
	while (cache->id <= SIZE_CLASSES && next != &caches.all &&
	       container_of(next, struct cache, link)->id < cache->id)
		next = next->next;
	if (cache->id > SIZE_CLASSES)
		next = &caches.all;
	list_add_tail(next, &cache->link); /* in front of it */
	__atomic_store_n(&caches.by_id[cache->id], cache, __ATOMIC_RELEASE);
}

static void name_size_class(struct cache *cache)
{
	static const char prefix[] = "malloc-";
	char *end = cache->name + sizeof(prefix) - 1;
	size_t digits = 1;

	for (size_t rest = cache->size; rest >= 10; rest /= 10)
		digits++;
	memcpy(cache->name, prefix, sizeof(prefix));
	for (size_t rest = cache->size, i = digits; i-- > 0; rest /= 10)
		end[i] = (char)('0' + rest % 10);
}

static struct cache *make_class_locked(unsigned int class)
{
	struct cache *cache = cache_of_id(class);

	CHECK(lock_is_held(&caches.lock));
	if (cache)
		return cache;
	cache = &class_caches[caches.classes++];
	cache->id = class;
	cache->size = size_class_bytes(class);
	cache->align = min_size(lowest_bit(cache->size), ALIGN_MAX);
	name_size_class(cache);
	init_cache(cache);
	publish_cache_locked(cache);
	return cache;
}

struct cache *cache_of_class(unsigned int class, unsigned int flags)
{
	struct cache *cache = cache_of_id(class);

	if (likely(cache) ||
	    !lock_acquire_if(&caches.lock, !(flags & SM_NOWAIT)))
		return cache;
	cache = make_class_locked(class);
	lock_release(&caches.lock);
	return cache;
}

bool slab_init(void)
{
	list_init(&caches.all);
	if (!cpu_arrays_init())
		return false;
	lock_acquire(&caches.lock);
	runs_init();
	lock_release(&caches.lock);
	return true;
}

/* A free number, or 0 if all are taken. */
static unsigned int find_id_locked(void)
{
	for (unsigned int id = FIRST_OWN_ID; id < CPU_ARRAYS; id++) {
		if (!caches.by_id[id])
			return id;
	}
	return 0;
}

static size_t effective_align(size_t size, size_t align, unsigned int flags)
{
	align = max_size(align, QUANTUM);
	/* As the kernel does: no more than the object can use of a line. */
	if (flags & SM_CACHE_HWALIGN)
		align = max_size(align, min_size(CACHE_LINE_BYTES,
						 (size_t)1 << ceil_log2(size)));
	return align;
}

struct cache *cache_create(const char *name, size_t size, size_t align,
			   unsigned int flags, void (*constructor)(void *))
{
	struct cache *cache;
	bool ok;

	cache = meta_alloc(sizeof(*cache), 0);
	if (!cache)
		return NULL;
	cache->align = effective_align(size, align, flags);
	cache->size = round_up(size, cache->align);
	cache->flags = flags;
	cache->constructor = constructor;
	strncpy(cache->name, name, sizeof(cache->name) - 1);

	lock_acquire(&caches.lock);
	cache->id = find_id_locked();
	ok = cache->id > 0 && init_cache(cache);
	if (ok)
		publish_cache_locked(cache);
	lock_release(&caches.lock);
	if (!ok) {
		meta_free(cache, sizeof(*cache));
		return NULL;
	}
	return cache;
}

static void return_drained(unsigned int id, void *const *objects,
			   unsigned int count)
{
	if (is_run_class(id))
		runs_return(objects, count);
	else
		slabs_return(cache_of_id(id), objects, count);
}

static void shrink_locked(struct cache *cache)
{
	CHECK(lock_is_held(&caches.lock));
	barn_empty_out(cache);
	slabs_shrink(cache, 0);
}

bool cache_shrink(struct cache *cache)
{
	lock_acquire(&caches.lock);
	cpu_arrays_drain(cache->id, return_drained);
	shrink_locked(cache);
	lock_release(&caches.lock);
	return __atomic_load_n(&cache->nr_slabs, __ATOMIC_RELAXED) > 0;
}

void caches_shrink(void)
{
	lock_acquire(&caches.lock);
	cpu_arrays_drain(0, return_drained);
	list_for_each(node, &caches.all)
		shrink_locked(container_of(node, struct cache, link));
	lock_release(&caches.lock);
}

/* Whether more than @bytes and a 2^@shift-th of the slabs is free. */
static bool are_sparse_locked(size_t bytes, unsigned int shift)
{
	size_t total = 0, free = 0;

	CHECK(lock_is_held(&caches.lock));
	list_for_each(node, &caches.all) {
		const struct cache *cache =
			container_of(node, struct cache, link);

		total += __atomic_load_n(&cache->nr_slabs, __ATOMIC_RELAXED)
			 << (cache->slab_order + os_page_shift);
		free += __atomic_load_n(&cache->free_objects,
					__ATOMIC_RELAXED) *
			cache->size;
	}
	return free > bytes && free > total >> shift;
}

bool caches_are_sparse(void)
{
	bool are_sparse;

	lock_acquire(&caches.lock);
	are_sparse = are_sparse_locked(SPARSE_BYTES, SPARSE_SHIFT);
	lock_release(&caches.lock);
	return are_sparse;
}

static void begin_sweep_locked(uint64_t now_ms)
{
	caches.next_sweep_ms = now_ms + SWEEP_MS;
	caches.sweep.pass++;
	caches.sweep.is_waiting = false;
	caches.sweep.is_refused = false;
	if (are_sparse_locked(pages_retain(), SWEEP_SHIFT))
		caches.swept_id = CPU_ARRAYS - 1;
}

static void sweep_locked(void)
{
	struct sweep *sweep = &caches.sweep;

	sweep->budget = SWEEP_BUDGET;
	for (; caches.swept_id > 0; caches.swept_id--) {
		struct cache *cache = caches.by_id[caches.swept_id];

		if (cache)
			cache_sweep(cache, sweep);
		if (sweep->budget <= 0)
			return;
	}
}

bool caches_sweep(uint64_t now_ms)
{
	bool is_waiting;

	lock_acquire(&caches.lock);
	if (caches.swept_id == 0 && now_ms >= caches.next_sweep_ms)
		begin_sweep_locked(now_ms);
	sweep_locked();
	is_waiting = caches.swept_id > 0 || caches.sweep.is_waiting;
	lock_release(&caches.lock);
	return is_waiting;
}

bool cache_destroy(struct cache *cache)
{
	bool is_free;

	lock_acquire(&caches.lock);
	cpu_arrays_drain(cache->id, return_drained);
	shrink_locked(cache);
	is_free = cache->nr_slabs == 0;
	if (is_free) {
		list_remove(&cache->link);
		__atomic_store_n(&caches.by_id[cache->id], NULL,
				 __ATOMIC_RELEASE);
	}
	lock_release(&caches.lock);
	if (is_free)
		meta_free(cache, sizeof(*cache));
	return is_free;
}

static void collect_stats(struct cache *cache, struct cache_stats *stats)
{
	stats->name = cache->name;
	stats->size = cache->size;
	stats->slab_pages = (size_t)1 << cache->slab_order;
	stats->slab_objects = cache->slab_objects;
	lock_acquire(&cache->lock);
	stats->slabs = cache->nr_slabs;
	stats->objects = cache->nr_slabs * cache->slab_objects;
	stats->free = cache->free_objects;
	stats->refills = cache->refills;
	stats->flushes = cache->flushes;
	lock_release(&cache->lock);
	lock_acquire(&cache->barn.lock);
	stats->cached = cache->barn.objects;
	stats->barn_gets = cache->barn.gets;
	stats->barn_puts = cache->barn.puts;
	lock_release(&cache->barn.lock);
	/* Racy: the arrays go on meanwhile. */
	stats->cached += cpu_arrays_count(cache->id);
	stats->cached = min_size(stats->cached, stats->objects - stats->free);
}

bool cache_stats_at(size_t index, struct cache_stats *stats)
{
	struct list *node;

	lock_acquire(&caches.lock);
	for (unsigned int class = 1; class <= SIZE_CLASSES; class += 1)
		make_class_locked(class);
	node = caches.all.next;
	while (index-- > 0 && node != &caches.all)
		node = node->next;
	if (node != &caches.all)
		collect_stats(container_of(node, struct cache, link), stats);
	lock_release(&caches.lock);
	return node != &caches.all;
}
