/* SPDX-License-Identifier: MIT */
/* The size of a page: read when the process starts, never compiled in. */
#ifndef OS_PAGE_SIZE_H
#define OS_PAGE_SIZE_H

#include <stddef.h>

enum {
	PAGE_SHIFT_MIN = 12, /* 4 KiB: also the granule of the page maps */
	PAGE_SHIFT_MAX = 16, /* 64 KiB */
};

/* log2 of the bytes of a page. [fixed at os_page_size_init()] */
extern unsigned int os_page_shift;

static inline size_t os_page_bytes(void)
{
	return (size_t)1 << os_page_shift;
}

/* Bytes of the system's page. [fixed at os_page_size_init()] */
size_t os_system_page_bytes(void);

/*
 * Read the page size. A @shift above the system's, up to %PAGE_SHIFT_MAX, makes
 * pages larger than the system's: every length and address that goes to the
 * kernel is then a multiple of that. 0 takes the system's.
 */
void os_page_size_init(unsigned int shift);

#endif
