/* SPDX-License-Identifier: MIT */
/* Reserve, commit, map, discard: the mmap family. */
#include "os/vm.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "os/os.h"
#include "os/syscall.h"

static atomic_size_t mapped_bytes; /* [atomic] */

static void count_mapped(size_t bytes)
{
	atomic_fetch_add_explicit(&mapped_bytes, bytes, memory_order_relaxed);
}

static void count_unmapped(size_t bytes)
{
	atomic_fetch_sub_explicit(&mapped_bytes, bytes, memory_order_relaxed);
}

/* Addresses of the last page are error numbers, not mappings. */
static void *address_or_null(long ret)
{
	return ret < 0 && ret > -4096 ? NULL : (void *)ret;
}

static void *map_anonymous(void *at, size_t bytes, int protection, int flags)
{
	return address_or_null(
		os_call_counted(SYS_mmap, (long)at, (long)bytes, protection,
				MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0));
}

/* A mapping at a multiple of @align: a larger one, less what is too much. */
static void *map_aligned(size_t bytes, size_t align, int protection, int flags)
{
	size_t slack = align - os_system_page_bytes();
	char *start, *aligned, *end;

	if (bytes > SIZE_MAX - slack)
		return NULL;
	start = map_anonymous(NULL, bytes + slack, protection, flags);
	if (!start)
		return NULL;
	count_mapped(bytes + slack);
	if (slack == 0)
		return start;

	end = start + bytes + slack;
	aligned = (char *)round_up((uintptr_t)start, align);
	if (aligned > start)
		os_unmap(start, (size_t)(aligned - start));
	if (end > aligned + bytes)
		os_unmap(aligned + bytes, (size_t)(end - aligned) - bytes);
	return aligned;
}

void *os_reserve(size_t bytes, size_t align)
{
	return map_aligned(bytes, max_size(align, os_page_bytes()), PROT_NONE,
			   MAP_NORESERVE);
}

int os_commit(void *start, size_t bytes)
{
	return (int)os_call_counted(SYS_mprotect, (long)start, (long)bytes,
				    PROT_READ | PROT_WRITE, 0, 0, 0);
}

int os_decommit(void *start, size_t bytes)
{
	/* A new mapping in place of the old: mprotect(2) would keep the
	 * memory, and with overcommit_memory=2 its charge. */
	long ret = os_call_counted(
		SYS_mmap, (long)start, (long)bytes, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	return address_or_null(ret) ? 0 : (int)ret;
}

void *os_map(size_t bytes)
{
	return map_aligned(bytes, os_page_bytes(), PROT_READ | PROT_WRITE, 0);
}

int os_unmap(void *start, size_t bytes)
{
	long ret = os_call_counted(SYS_munmap, (long)start, (long)bytes, 0, 0,
				   0, 0);

	if (ret == 0)
		count_unmapped(bytes);
	return (int)ret;
}

void *os_remap(void *start, size_t old_bytes, size_t new_bytes, bool may_move)
{
	/* The kernel aligns to its own page only. */
	bool can_move = may_move && os_page_bytes() == os_system_page_bytes();
	void *moved = address_or_null(os_call_counted(
		SYS_mremap, (long)start, (long)old_bytes, (long)new_bytes,
		can_move ? MREMAP_MAYMOVE : 0, 0, 0));

	if (moved)
		count_mapped(new_bytes - old_bytes);
	return moved;
}

bool os_discard(void *start, size_t bytes)
{
	return os_call_counted(SYS_madvise, (long)start, (long)bytes,
			       MADV_DONTNEED, 0, 0, 0) == 0;
}

void os_advise_huge(void *start, size_t bytes)
{
	os_call_counted(SYS_madvise, (long)start, (long)bytes, MADV_HUGEPAGE, 0,
			0, 0);
}

size_t os_mapped_bytes(void)
{
	return atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
}

size_t os_address_space_limit(void)
{
	struct rlimit64 limit;

	if (os_call(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)&limit, 0, 0) < 0 ||
	    limit.rlim_cur == RLIM64_INFINITY)
		return SIZE_MAX;
	return (size_t)limit.rlim_cur;
}
