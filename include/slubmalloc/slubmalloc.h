/* SPDX-License-Identifier: MIT */
/* All of slubmalloc's public headers. */
#ifndef SLUBMALLOC_SLUBMALLOC_H
#define SLUBMALLOC_SLUBMALLOC_H

#include <slubmalloc/cache.h>
#include <slubmalloc/flags.h>
#include <slubmalloc/heap.h>
#include <slubmalloc/malloc.h>
#include <slubmalloc/options.h>
#include <slubmalloc/pages.h>
#include <slubmalloc/stats.h>
#include <slubmalloc/version.h>

#endif
