/* SPDX-License-Identifier: MIT */
/* How an allocation may behave: flags in the spirit of the kernel's GFP. */
#ifndef SLUBMALLOC_FLAGS_H
#define SLUBMALLOC_FLAGS_H

#include <stddef.h>

#include <slubmalloc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Flags of an allocation, or-ed together. Zero asks for the plain behaviour:
 * bytes of any content, system calls as needed, %NULL when there is no memory.
 */
enum sm_flags {
	/* The bytes are zero (__GFP_ZERO). */
	SM_ZERO = 1 << 0,
	/*
	 * Make no system call and wait for nobody: succeed from memory at hand
	 * or return %NULL at once (GFP_NOWAIT). First use of a page may still
	 * fault.
	 */
	SM_NOWAIT = 1 << 1,
	/*
	 * Never return %NULL: ask the callback of sm_set_nofail() and try
	 * again (__GFP_NOFAIL). Not together with SM_NOWAIT.
	 */
	SM_NOFAIL = 1 << 2,
};

/**
 * sm_set_nofail() - name the function that SM_NOFAIL asks when memory is out
 * @callback: called with the size in bytes that could not be had, in the thread
 *	that wants it, with no lock held; it may free memory, wait or exit.
 *	A return of zero asks for another try, anything else gives up.
 *	%NULL restores the default, which gives up.
 *
 * Giving up is one line on standard error and abort(3), since the caller has
 * said that it can't go on without.
 *
 * Return: the callback that was set before, or %NULL.
 * Context: any thread; not in a signal handler.
 * Source: umem_nofail_callback() of libumem; the kernel's __GFP_NOFAIL.
 */
typedef int (*sm_nofail_callback)(size_t size);
SM_EXPORT sm_nofail_callback sm_set_nofail(sm_nofail_callback callback);

#ifdef __cplusplus
}
#endif

#endif
