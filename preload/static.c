/* SPDX-License-Identifier: MIT */
/*
 * What the operators of a static library need of the C++ library: a linker does
 * not look for weak symbols in an archive, so here they are asked for.
 */
#include "preload.h"

extern char _ZSt15get_new_handlerv[];
extern char _ZSt17__throw_bad_allocv[];
extern char __cxa_begin_catch[];
extern char __cxa_end_catch[];
extern char _Unwind_SetGR[];
extern char _Unwind_SetIP[];

__attribute__((used)) static const char *const needed[] = {
	_ZSt15get_new_handlerv, _ZSt17__throw_bad_allocv,
	__cxa_begin_catch,	__cxa_end_catch,
	_Unwind_SetGR,		_Unwind_SetIP,
};

/* All there is has been linked in. */
void *runtime_find(const char *name)
{
	(void)name;
	return NULL;
}
