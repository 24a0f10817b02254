/* SPDX-License-Identifier: MIT */
/* The size of a page, from the auxiliary vector. */
#include "os/page_size.h"

#include <sys/auxv.h>

#include "os/os.h"

unsigned int os_page_shift = PAGE_SHIFT_MIN;

static size_t system_bytes = (size_t)1 << PAGE_SHIFT_MIN;

size_t os_system_page_bytes(void)
{
	return system_bytes;
}

void os_page_size_init(unsigned int shift)
{
	size_t bytes = getauxval(AT_PAGESZ);

	if (is_power_of_two(bytes))
		system_bytes = bytes;
	os_page_shift = floor_log2(system_bytes);
	if (shift > os_page_shift && shift <= PAGE_SHIFT_MAX)
		os_page_shift = shift;
	if (os_page_shift > PAGE_SHIFT_MAX)
		panic("pages of more than 64 KiB are not supported", 0);
}
