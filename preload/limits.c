/* SPDX-License-Identifier: MIT */
/*
 * A program that lowers its limit of address space does not mean the part of it
 * that we keep in reserve, so that goes first: with it above the limit no
 * mapping of anybody would succeed any more.
 *
 * The rest is the system call itself. setrlimit() and prlimit() are the same
 * two functions (meson.build), since a long has 64 bits here.
 */
#include <slubmalloc/version.h>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "preload.h"

_Static_assert(sizeof(long) == 8, "struct rlimit needs a conversion");

SM_EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource,
			const struct rlimit64 *limit,
			struct rlimit64 *ret_old_limit)
{
	if (limit && resource == RLIMIT_AS && (pid == 0 || pid == getpid()))
		sm_trim_reservation();
	return (int)syscall(SYS_prlimit64, pid, resource, limit, ret_old_limit);
}

SM_EXPORT int setrlimit64(__rlimit_resource_t resource,
			  const struct rlimit64 *limit)
{
	return prlimit64(0, resource, limit, NULL);
}
