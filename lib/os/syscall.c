/* SPDX-License-Identifier: MIT */
/* System calls that keep errno, and the seam that makes the nth one fail. */
#include "os/syscall.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "os/os.h"

static struct {
	atomic_size_t calls;	  /* [atomic] */
	atomic_size_t fail_first; /* [atomic] number of the first to fail */
	atomic_size_t fail_end;	  /* [atomic] and one more than the last */
} seam;

long os_call(long number, long a, long b, long c, long d, long e, long f)
{
	int saved = errno;
	long ret = syscall(number, a, b, c, d, e, f);

	if (ret == -1) {
		ret = -errno;
		errno = saved;
	}
	return ret;
}

long os_call_counted(long number, long a, long b, long c, long d, long e,
		     long f)
{
	size_t nth = atomic_fetch_add_explicit(&seam.calls, 1,
					       memory_order_relaxed) +
		     1;

	if (unlikely(nth >= atomic_load_explicit(&seam.fail_first,
						 memory_order_relaxed) &&
		     nth < atomic_load_explicit(&seam.fail_end,
						memory_order_relaxed)))
		return -ENOMEM;
	return os_call(number, a, b, c, d, e, f);
}

size_t os_call_count(void)
{
	return atomic_load_explicit(&seam.calls, memory_order_relaxed);
}

void os_fail_nth(size_t nth, size_t count)
{
	size_t now = os_call_count();

	atomic_store(&seam.fail_end, 0);
	atomic_store(&seam.fail_first, now + nth);
	if (nth > 0)
		atomic_store(&seam.fail_end, count > SIZE_MAX - now - nth
						     ? SIZE_MAX
						     : now + nth + count);
}
