/* SPDX-License-Identifier: MIT */
/* Pages from the buddy allocator: by order, and by count. */
#ifndef SLUBMALLOC_PAGES_H
#define SLUBMALLOC_PAGES_H

#include <stddef.h>

#include <slubmalloc/flags.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * sm_page_size() - tell the bytes of one page
 *
 * Return: in bytes; what the running system uses, a power of two.
 * Context: any thread; as sm_malloc().
 */
SM_EXPORT size_t sm_page_size(void);

/**
 * sm_pages_order_max() - tell the largest order that can be allocated
 *
 * Return: the order of a pageblock: 9 where a page is 4 KiB.
 * Context: any thread; as sm_malloc().
 */
SM_EXPORT unsigned int sm_pages_order_max(void);

/**
 * sm_pages_alloc() - allocate 2^@order pages, aligned to their size
 * @order: 0 to sm_pages_order_max()
 * @flags: of enum sm_flags
 *
 * Return: the first byte, or %NULL with errno set.
 * Errors: EINVAL - @order or @flags; ENOMEM - no memory.
 * Context: any thread; as sm_malloc().
 * Source: __get_free_pages().
 */
SM_EXPORT void *sm_pages_alloc(unsigned int order, unsigned int flags);

/**
 * sm_pages_alloc_exact() - allocate exactly @count pages, in a row
 * @count: 1 to 2^sm_pages_order_max()
 * @flags: of enum sm_flags
 *
 * What the next power of two would hold beyond @count stays free.
 *
 * Return: the first byte, or %NULL with errno set.
 * Errors: EINVAL - @count or @flags; ENOMEM - no memory.
 * Context: any thread; as sm_malloc().
 * Source: alloc_pages_exact().
 */
SM_EXPORT void *sm_pages_alloc_exact(size_t count, unsigned int flags);

/**
 * sm_pages_free() - give pages back
 * @pages: from sm_pages_alloc() or sm_pages_alloc_exact(), or %NULL
 *
 * Context: any thread; as sm_free(); errno is kept.
 * Source: free_pages(), which must be told the order; this one knows it.
 */
SM_EXPORT void sm_pages_free(void *pages);

#ifdef __cplusplus
}
#endif

#endif
