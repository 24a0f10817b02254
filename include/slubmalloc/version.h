/* SPDX-License-Identifier: MIT */
/* The version of slubmalloc, when compiling and when running. */
#ifndef SLUBMALLOC_VERSION_H
#define SLUBMALLOC_VERSION_H

#define SM_VERSION_MAJOR 0
#define SM_VERSION_MINOR 1
#define SM_VERSION_PATCH 0

#define SM_EXPORT	 __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/**
 * sm_version() - tell the version of the library that is running
 *
 * Return: a static string, "MAJOR.MINOR.PATCH".
 * Context: any thread, any signal handler; no system call.
 */
SM_EXPORT const char *sm_version(void);

#ifdef __cplusplus
}
#endif

#endif
