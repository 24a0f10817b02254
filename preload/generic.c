/* SPDX-License-Identifier: MIT */
/*
 * Processors that we can't talk to in their own language: dlopen() is libc's,
 * and a new_handler that throws passes through a nothrow new.
 */
#include "preload.h"

void *call_catching(new_function function, size_t size, size_t align)
{
	return function(size, align);
}
