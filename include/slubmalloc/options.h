/* SPDX-License-Identifier: MIT */
/* The run-time options, from the environment variable SLUBMALLOC. */
#ifndef SLUBMALLOC_OPTIONS_H
#define SLUBMALLOC_OPTIONS_H

#include <slubmalloc/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * sm_option() - tell the value of an option
 * @name: as in SLUBMALLOC="name:value,..."; see docs/tuning.md
 *
 * Return: the value; of an option with words, the number of the word in the
 *	order of the documentation, from 0; -1 if there is no such option.
 * Context: any thread; as sm_malloc().
 */
SM_EXPORT long sm_option(const char *name);

#ifdef __cplusplus
}
#endif

#endif
