/* SPDX-License-Identifier: MIT */
/* A plugin in C++ for a program in C, which has no C++ library in its scope. */
#include <cstddef>
#include <new>

static int handler_calls;

static void handle()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

static void throw_something()
{
	throw 1;
}

/* The number of calls of the handler if new throws std::bad_alloc, else -1. */
extern "C" int plugin_new(size_t size)
{
	handler_calls = 0;
	std::set_new_handler(handle);
	try {
		::operator new(size);
	} catch (const std::bad_alloc &) {
		return handler_calls;
	}
	return -1;
}

extern "C" void *plugin_nothrow_new(size_t size)
{
	std::set_new_handler(throw_something);
	return ::operator new(size, std::nothrow);
}
