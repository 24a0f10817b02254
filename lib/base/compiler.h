/* SPDX-License-Identifier: MIT */
/* What the compiler can be told that the language has no word for. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)
#define COLD	      __attribute__((cold, noinline))
#define NOINLINE      __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Zeroed data that most processes never touch: kept out of the pages of those
 * that they do. */
#define COLD_DATA __attribute__((section(".bss.cold")))

/* The struct of type @type whose member @member is at @pointer. */
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer)-offsetof(type, member)))

/* A thread-local that is reached without a call, so without an allocation. */
#define THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

#if defined(__SANITIZE_THREAD__)
#define BUILT_WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BUILT_WITH_TSAN 1
#endif
#endif
#ifndef BUILT_WITH_TSAN
#define BUILT_WITH_TSAN 0
#endif

/* Of a function that may read what another thread writes: each use says why. */
#define READS_RACY __attribute__((no_sanitize("thread")))

#endif
