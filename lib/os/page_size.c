/* SPDX-License-Identifier: MIT */
/* The size of a page, from the auxiliary vector. */
#include "os/page_size.h"

#include <sys/auxv.h>

#include "os/os.h"

unsigned int os_page_shift = PAGE_SHIFT_MIN;

void os_page_size_init(unsigned int shift)
{
	size_t bytes = getauxval(AT_PAGESZ);

	if (is_power_of_two(bytes))
		os_page_shift = floor_log2(bytes);
	if (shift > os_page_shift && shift <= PAGE_SHIFT_MAX)
		os_page_shift = shift;
	if (os_page_shift > PAGE_SHIFT_MAX)
		panic("pages of more than 64 KiB are not supported", 0);
}
