/* SPDX-License-Identifier: MIT */
/*
 * The operators new and delete of C++, in C.
 *
 * A program may replace some of them and rely on the others to come round to
 * its own; the standard says who calls whom. So each calls the next by its
 * public name, which the linker leaves open (--dynamic-list-cpp-new):
 * delete[](p, size) calls delete[](p), that calls delete(p), and this one, at
 * the end of the chain, is sm_free() itself.
 *
 * Nothing of the C++ library is needed to load us. Where an allocation fails,
 * its handler and its exception are looked for: among the weak symbols below,
 * then wherever a plugin may have brought them.
 */
#include <slubmalloc/malloc.h>

#include <stdlib.h>

#include "preload.h"

struct nothrow; /* std::nothrow_t: it tells overloads apart */

/* The operators by their names in the symbol table: no header has them. */
SM_EXPORT void *_Znwm(size_t size);
SM_EXPORT void *_Znam(size_t size);
SM_EXPORT void *_ZnwmRKSt9nothrow_t(size_t size, const struct nothrow *tag);
SM_EXPORT void *_ZnamRKSt9nothrow_t(size_t size, const struct nothrow *tag);
SM_EXPORT void *_ZnwmSt11align_val_t(size_t size, size_t align);
SM_EXPORT void *_ZnamSt11align_val_t(size_t size, size_t align);
SM_EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
						   const struct nothrow *tag);
SM_EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
						   const struct nothrow *tag);
SM_EXPORT void _ZdlPv(void *block);
SM_EXPORT void _ZdaPv(void *block);
SM_EXPORT void _ZdlPvm(void *block, size_t size);
SM_EXPORT void _ZdaPvm(void *block, size_t size);
SM_EXPORT void _ZdlPvRKSt9nothrow_t(void *block, const struct nothrow *tag);
SM_EXPORT void _ZdaPvRKSt9nothrow_t(void *block, const struct nothrow *tag);
SM_EXPORT void _ZdlPvSt11align_val_t(void *block, size_t align);
SM_EXPORT void _ZdaPvSt11align_val_t(void *block, size_t align);
SM_EXPORT void _ZdlPvmSt11align_val_t(void *block, size_t size, size_t align);
SM_EXPORT void _ZdaPvmSt11align_val_t(void *block, size_t size, size_t align);
SM_EXPORT void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *block, size_t align,
						   const struct nothrow *tag);
SM_EXPORT void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *block, size_t align,
						   const struct nothrow *tag);

/* std::get_new_handler() and std::__throw_bad_alloc(). */
typedef void (*new_handler)(void);
__attribute__((weak)) new_handler _ZSt15get_new_handlerv(void);
__attribute__((weak, noreturn)) void _ZSt17__throw_bad_allocv(void);

static new_handler current_handler(void)
{
	new_handler (*get)(void) = runtime_function(_ZSt15get_new_handlerv,
						    "_ZSt15get_new_handlerv");

	return get ? get() : NULL;
}

/* The function that throws std::bad_alloc; NULL if nothing here can throw. */
static void (*find_thrower(void))(void)
{
	return (void (*)(void))runtime_function(_ZSt17__throw_bad_allocv,
						"_ZSt17__throw_bad_allocv");
}

static _Noreturn void throw_bad_alloc(void)
{
	void (*thrower)(void) = find_thrower();

	if (thrower)
		thrower();
	say("slubmalloc: operator new: no memory, and nothing to throw it\n");
	abort();
}

/* @align is zero where the type asks for no more than usual. */
static void *allocate(size_t size, size_t align)
{
	return align ? sm_aligned_alloc(align, size) : sm_malloc(size);
}

/* Let the program's handler find memory until there is enough, or throw. */
static COLD void *new_slow(size_t size, size_t align)
{
	void *block;

	if (align & (align - 1))
		throw_bad_alloc();
	do {
		new_handler handler = current_handler();

		if (!handler)
			throw_bad_alloc();
		handler();
		block = allocate(size, align);
	} while (!block);
	return block;
}

void *_Znwm(size_t size)
{
	void *block = sm_malloc(size);

	if (__builtin_expect(!block, 0))
		return new_slow(size, 0);
	return block;
}

void *_ZnwmSt11align_val_t(size_t size, size_t align)
{
	void *block = sm_aligned_alloc(align, size);

	if (__builtin_expect(!block, 0))
		return new_slow(size, align);
	return block;
}

void *_Znam(size_t size)
{
	return _Znwm(size);
}

void *_ZnamSt11align_val_t(size_t size, size_t align)
{
	return _ZnwmSt11align_val_t(size, align);
}

/* What the four throwing forms are unless the program has replaced them. */
static __typeof__(_Znwm) own_new __attribute__((alias("_Znwm")));
static __typeof__(_Znam) own_array_new __attribute__((alias("_Znam")));
static __typeof__(_ZnwmSt11align_val_t) own_aligned_new
	__attribute__((alias("_ZnwmSt11align_val_t")));
static __typeof__(_ZnamSt11align_val_t) own_aligned_array_new
	__attribute__((alias("_ZnamSt11align_val_t")));

static bool are_own(void)
{
	return _Znwm == own_new && _Znam == own_array_new &&
	       _ZnwmSt11align_val_t == own_aligned_new &&
	       _ZnamSt11align_val_t == own_aligned_array_new;
}

/*
 * By the standard a nothrow new is @throwing, one of these four, with every
 * exception made a NULL. Nothing needs to be thrown as long as there is memory.
 */
static void *new_nothrow(void *throwing, size_t size, size_t align)
{
	if (are_own()) {
		void *block = allocate(size, align);

		if (block || !find_thrower())
			return block;
	}
	return call_catching((new_function)throwing, size, align);
}

void *_ZnwmRKSt9nothrow_t(size_t size, const struct nothrow *tag)
{
	(void)tag;
	return new_nothrow(_Znwm, size, 0);
}

void *_ZnamRKSt9nothrow_t(size_t size, const struct nothrow *tag)
{
	(void)tag;
	return new_nothrow(_Znam, size, 0);
}

void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
					 const struct nothrow *tag)
{
	(void)tag;
	return new_nothrow(_ZnwmSt11align_val_t, size, align);
}

void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
					 const struct nothrow *tag)
{
	(void)tag;
	return new_nothrow(_ZnamSt11align_val_t, size, align);
}

void _ZdaPv(void *block)
{
	_ZdlPv(block);
}

void _ZdlPvm(void *block, size_t size)
{
	(void)size;
	_ZdlPv(block);
}

void _ZdaPvm(void *block, size_t size)
{
	(void)size;
	_ZdaPv(block);
}

void _ZdlPvRKSt9nothrow_t(void *block, const struct nothrow *tag)
{
	(void)tag;
	_ZdlPv(block);
}

void _ZdaPvRKSt9nothrow_t(void *block, const struct nothrow *tag)
{
	(void)tag;
	_ZdaPv(block);
}

void _ZdaPvSt11align_val_t(void *block, size_t align)
{
	_ZdlPvSt11align_val_t(block, align);
}

void _ZdlPvmSt11align_val_t(void *block, size_t size, size_t align)
{
	(void)size;
	_ZdlPvSt11align_val_t(block, align);
}

void _ZdaPvmSt11align_val_t(void *block, size_t size, size_t align)
{
	(void)size;
	_ZdaPvSt11align_val_t(block, align);
}

void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *block, size_t align,
					 const struct nothrow *tag)
{
	(void)tag;
	_ZdlPvSt11align_val_t(block, align);
}

void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *block, size_t align,
					 const struct nothrow *tag)
{
	(void)tag;
	_ZdaPvSt11align_val_t(block, align);
}
