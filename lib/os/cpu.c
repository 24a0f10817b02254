/* SPDX-License-Identifier: MIT */
/* Which index the per-CPU arrays use, and whether a thread may use it. */
#include "os/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "os/os.h"
#include "os/syscall.h"

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif

enum {
	LEGACY_LENGTH = 32, /* registered by every glibc before 2.41 */
	CPU_IDS_MAX = 1 << 16,
	MASK_BYTES = 1 << 10,	    /* 8192 CPUs: no kernel is built for more */
	ANY_SIGNATURE = 0x12345678, /* any but the real one */
};

/* glibc 2.35 and later; absent elsewhere. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static struct rseq_area unregistered = {
	.cpu_id = -1,
	.node_id = -1,
	.mm_cid = -1,
};

THREAD_LOCAL struct os_thread os_thread = { .rseq = &unregistered };
size_t os_cpu_field = offsetof(struct rseq_area, cpu_id);

static struct {
	unsigned int limit;   /* [fixed at os_cpu_init()] */
	enum cpu_index index; /* [fixed at os_cpu_init()] */
	long length;	      /* [fixed at os_cpu_init()] of a registration */
} cpu = { .limit = 1, .index = CPU_INDEX_NONE };

/* The largest number in a list such as "0-3,8-11", plus one; 0 if none. */
static unsigned int parse_cpu_list(const char *text, size_t len)
{
	unsigned int number = 0, largest = 0;
	bool digits = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			number = number * 10 + (unsigned int)(text[i] - '0');
			digits = true;
			if (number > CPU_IDS_MAX)
				return 0;
			if (number + 1 > largest)
				largest = number + 1;
		} else {
			number = 0;
		}
	}
	return digits ? largest : 0;
}

static unsigned int read_possible_cpus(void)
{
	char text[512];
	long fd = os_call(SYS_openat, AT_FDCWD,
			  (long)"/sys/devices/system/cpu/possible",
			  O_RDONLY | O_CLOEXEC, 0, 0, 0);
	long len;

	if (fd < 0)
		return 0;
	len = os_call(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0);
	os_call(SYS_close, fd, 0, 0, 0, 0, 0);
	return len > 0 ? parse_cpu_list(text, (size_t)len) : 0;
}

/* The kernel's own mask is as long as it needs for the highest id. */
static unsigned int measure_cpu_mask(void)
{
	unsigned char mask[MASK_BYTES];
	long bytes = os_call(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask,
			     0, 0, 0);

	return bytes > 0 ? (unsigned int)bytes * 8 : CPU_IDS_MAX;
}

static struct rseq_area *own_area(void)
{
	return (struct rseq_area *)((char *)__builtin_thread_pointer() +
				    __rseq_offset);
}

static long probe_registration(struct rseq_area *area, long length)
{
	return os_call(SYS_rseq, (long)area, length, RSEQ_FLAG_UNREGISTER,
		       ANY_SIGNATURE, 0, 0);
}

/*
 * A request to unregister with a wrong signature changes nothing, and tells
 * a registered area (EPERM) from any other (EINVAL).
 */
static bool is_registered(struct rseq_area *area, long length)
{
	return area->cpu_id >= 0 && probe_registration(area, length) == -EPERM;
}

/* A length of zero fits no registration: an answer other than EINVAL isn't the
 * kernel's but that of a filter which was installed since. */
static bool is_filtered(struct rseq_area *area)
{
	return probe_registration(area, 0) != -EINVAL;
}

static long find_registered_length(long feature_size)
{
	const long lengths[] = { LEGACY_LENGTH, feature_size,
				 (long)round_up((size_t)feature_size, 32) };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		if (is_registered(own_area(), lengths[i]))
			return lengths[i];
	}
	return 0;
}

static bool has_fence(void)
{
	return os_call(SYS_membarrier,
		       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0, 0,
		       0, 0) == 0;
}

static enum cpu_index choose_index(enum cpu_index wanted)
{
	long feature_size = (long)getauxval(AT_RSEQ_FEATURE_SIZE);
	bool has_mm_cid =
		feature_size >=
		(long)(offsetof(struct rseq_area, mm_cid) + sizeof(int32_t));

	/* The thread sanitizer does not see into restartable sequences. */
	if (wanted == CPU_INDEX_NONE || BUILT_WITH_TSAN || !&__rseq_offset ||
	    !&__rseq_size || __rseq_size == 0)
		return CPU_INDEX_NONE;
	cpu.length = find_registered_length(feature_size);
	if (cpu.length == 0 || !has_fence())
		return CPU_INDEX_NONE;
	if (wanted == CPU_INDEX_CPU_ID || !has_mm_cid)
		return CPU_INDEX_CPU_ID;
	return CPU_INDEX_MM_CID;
}

void os_cpu_init(enum cpu_index wanted)
{
	cpu.limit = read_possible_cpus();
	if (cpu.limit == 0)
		cpu.limit = measure_cpu_mask();
#if defined(__x86_64__)
	cpu.index = choose_index(wanted);
#else
	(void)wanted; /* the sequences are written for x86-64 */
	cpu.index = CPU_INDEX_NONE;
#endif
	if (cpu.index == CPU_INDEX_MM_CID)
		os_cpu_field = offsetof(struct rseq_area, mm_cid);
}

unsigned int os_cpu_limit(void)
{
	return cpu.limit;
}

enum cpu_index os_cpu_index(void)
{
	return cpu.index;
}

bool os_rseq_attach(void)
{
	struct rseq_area *area;

	os_rseq_detach();
	if (cpu.index == CPU_INDEX_NONE)
		return false;
	area = own_area();
	if (!is_registered(area, cpu.length) || is_filtered(area))
		return false;
	os_thread.rseq = area;
	return true;
}

void os_rseq_attach_first(void)
{
	if (cpu.index != CPU_INDEX_NONE)
		os_thread.rseq = own_area();
}

void os_rseq_detach(void)
{
	os_thread.rseq = &unregistered;
}

unsigned int os_cpu_hint(void)
{
	int32_t index =
		*(volatile int32_t *)((char *)os_thread.rseq + os_cpu_field);

	if (likely(index >= 0 && (unsigned int)index < cpu.limit))
		return (unsigned int)index;
	return (unsigned int)(((uintptr_t)__builtin_thread_pointer() >> 12) %
			      cpu.limit);
}

bool os_cpu_fence(void)
{
	return os_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0,
		       0, 0, 0, 0) == 0;
}
