/* SPDX-License-Identifier: MIT */
/* The table of zones: one at first, further ones when that is full. */
#include "page/zone.h"

static struct {
	struct zone first;	     /* the one of page_window */
	struct zone *all[ZONES_MAX]; /* [windows to write, atomic to read] */
	size_t count;		     /* [windows to write, atomic to read] */
	size_t reserved; /* [windows to write, atomic to read] bytes of windows
			  */
	struct lock windows;
} zones = { .windows = LOCK_INIT(RANK_WINDOWS) };

size_t zone_count(void)
{
	return __atomic_load_n(&zones.count, __ATOMIC_ACQUIRE);
}

struct zone *zone_at(size_t index)
{
	return index == 0 ? &zones.first : zones.all[index];
}

static void count_reserved(void)
{
	size_t bytes = 0;

	for (size_t i = 0; i < zones.count; i++)
		bytes += zone_at(i)->heap.reserved;
	__atomic_store_n(&zones.reserved, bytes, __ATOMIC_RELEASE);
}

static bool are_zones_full(size_t count, size_t align)
{
	for (size_t i = 0; i < zone_count(); i++) {
		if (!zone_is_full(zone_at(i), count, align))
			return false;
	}
	return true;
}

/* The record of a zone that gave all of its addresses back, or a new one. */
static struct zone *spare_zone_locked(void)
{
	struct zone *zone;

	for (size_t i = 1; i < zones.count; i++) {
		if (!zone_is_reserved(zone_at(i)))
			return zone_at(i);
	}
	if (zones.count == ZONES_MAX)
		return NULL;
	zone = os_map(round_up(sizeof(*zone), os_page_bytes()));
	if (!zone)
		return NULL;
	zone_init(zone);
	zones.all[zones.count] = zone;
	__atomic_store_n(&zones.count, zones.count + 1, __ATOMIC_RELEASE);
	return zone;
}

static bool reserve_zone_locked(void)
{
	size_t least = (size_t)1 << PAGEBLOCK_SHIFT << 3;
	size_t bytes = (size_t)1 << ceil_log2(zones.reserved + least);
	struct zone *zone = spare_zone_locked();

	if (!zone || !zone_reserve(zone, bytes))
		return false;
	count_reserved();
	return true;
}

bool zones_add(size_t seen, size_t count, size_t align)
{
	bool ok;

	lock_acquire(&zones.windows);
	ok = zones.reserved != seen ||
	     (are_zones_full(count, align) && reserve_zone_locked());
	lock_release(&zones.windows);
	return ok;
}

bool zones_init(size_t most)
{
	zone_init(&zones.first);
	if (!zone_reserve(&zones.first, most))
		return false;
	zones.first.window = &page_window;
	zones.all[0] = &zones.first;
	__atomic_store_n(&zones.count, 1, __ATOMIC_RELEASE);
	count_reserved();
	page_window.start = (uintptr_t)zones.first.heap.start;
	page_window.frame_classes = (uint8_t *)zones.first.classes.start;
	page_window.pages = zone_page(&zones.first, 0);
	return true;
}

size_t zones_reserved(void)
{
	return __atomic_load_n(&zones.reserved, __ATOMIC_ACQUIRE);
}

size_t pages_give_back_addresses(void)
{
	size_t bytes = 0;

	lock_acquire(&zones.windows);
	for (size_t i = 0; i < zone_count(); i++)
		bytes += zone_give_back_addresses(zone_at(i), i > 0);
	count_reserved();
	lock_release(&zones.windows);
	return bytes;
}
