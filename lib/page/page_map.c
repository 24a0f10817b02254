/* SPDX-License-Identifier: MIT */
/* Any address to its zone, its descriptor and its cache, in O(1). */
#include "page/zone.h"

struct page_window page_window;

/* Its pages below the break. Once there are any, its arenas are in place:
 * pairs with the release in set_present(). */
static size_t present_of(const struct zone *zone)
{
	return __atomic_load_n(&zone->present, __ATOMIC_ACQUIRE);
}

struct zone *zone_of(const void *address)
{
	for (size_t i = 0; i < zone_count(); i++) {
		struct zone *zone = zone_at(i);
		size_t present = present_of(zone);

		if (present > 0 &&
		    (uintptr_t)address - (uintptr_t)zone->heap.start <
			    present << os_page_shift)
			return zone;
	}
	return NULL;
}

static size_t offset_in(const struct zone *zone, const void *address)
{
	return (size_t)((const char *)address - zone->heap.start);
}

struct page *page_find_beyond(const void *address)
{
	struct zone *zone = zone_of(address);

	if (!zone)
		return NULL;
	return zone_page(zone, offset_in(zone, address) >> os_page_shift);
}

unsigned int page_class_beyond(const void *address)
{
	struct zone *zone = zone_of(address);

	if (!zone)
		return 0;
	return ((uint8_t *)zone->classes
			.start)[offset_in(zone, address) >> FRAME_SHIFT];
}

void page_set_class(void *start, size_t count, unsigned int class)
{
	struct zone *zone = zone_of(start);
	size_t first = offset_in(zone, start) >> FRAME_SHIFT;
	size_t frames = count << (os_page_shift - FRAME_SHIFT);

	for (size_t i = 0; i < frames; i++)
		__atomic_store_n((uint8_t *)zone->classes.start + first + i,
				 (uint8_t) class, __ATOMIC_RELAXED);
}

static struct zone *zone_of_descriptor(const struct page *page)
{
	for (size_t i = 0; i < zone_count(); i++) {
		struct zone *zone = zone_at(i);
		size_t present = present_of(zone);

		if (present > 0 &&
		    (uintptr_t)page - (uintptr_t)zone->pages.start <
			    present * sizeof(*page))
			return zone;
	}
	panic("no zone has this page descriptor", page);
}

void *page_start(const struct page *page)
{
	const struct zone *zone = zone_of_descriptor(page);

	return zone_address(zone, (size_t)(page - zone_page(zone, 0)));
}
