/* SPDX-License-Identifier: MIT */
/*
 * The restartable sequences, for x86-64. Private to slab/.
 *
 * Each is: name the sequence in the thread's rseq area; read the index and with
 * it find the region; test; and one store that commits. On an abort the kernel
 * enters at a landing outside of the function, behind the signature that glibc
 * registered, and the landing starts again from the top: the kernel has
 * forgotten the name by then. The inputs are never written, so they're still
 * there.
 */
#ifndef SLAB_CPU_ARRAY_X86_64_H
#define SLAB_CPU_ARRAY_X86_64_H

#include "os/os.h"

/*
 * Label 0: the top. 1 to 2: the sequence. 3: its descriptor. 4: the landing,
 * whose first bytes (ud1 of the signature) are the kernel's proof that it is
 * one. The two pointer arrays let debuggers step over a sequence.
 */
#define RSEQ_BEGIN(scratch)                                                    \
	".pushsection __rseq_cs, \"aw\"\n"                                     \
	"	.balign 32\n"                                                  \
	"3:	.long 0, 0\n"                                                  \
	"	.quad 1f, 2f - 1f, 4f\n"                                       \
	".popsection\n"                                                        \
	".pushsection __rseq_cs_ptr_array, \"aw\"\n"                           \
	"	.quad 3b\n"                                                    \
	".popsection\n"                                                        \
	"0:	leaq 3b(%%rip), " scratch "\n"                                 \
	"	movq " scratch ", 8(%[area])\n"                                \
	"1:\n"

#define RSEQ_END                                                               \
	"2:\n"                                                                 \
	".pushsection .text.rseq_abort, \"ax\"\n"                              \
	"	.byte 0x0f, 0xb9, 0x3d\n"                                      \
	"	.long 0x53053053\n"                                            \
	"4:	jmp 0b\n"                                                      \
	".popsection\n"

/* The address of this CPU's region. */
#define RSEQ_REGION(reg)                                                       \
	"	movslq (%[area], %[field]), " reg "\n"                         \
	"	shlq %[shift], " reg "\n"                                      \
	"	addq %[regions], " reg "\n"

static_assert(offsetof(struct rseq_area, rseq_cs) == 8, "RSEQ_BEGIN stores it");

/* Take the top object of this CPU's array @id; false if there is none. */
static ALWAYS_INLINE bool cpu_array_pop(unsigned int id, void **ret_object)
{
	void *object, *region;

	__asm__ goto(RSEQ_BEGIN("%[region]") RSEQ_REGION("%[region]")
		     "	movl (%[region], %[array]), %k[object]\n"
		     "	cmpl 4(%[region], %[array]), %k[object]\n"
		     "	jbe %l[empty]\n"
		     "	decl %k[object]\n"
		     "	movl %k[object], %%ecx\n"
		     "	movq (%[region], %[object], 8), %[object]\n"
		     "	movl %%ecx, (%[region], %[array])\n" RSEQ_END
		     : [object] "=&a"(object), [region] "=&r"(region)
		     : [area] "r"(os_rseq), [field] "r"(os_cpu_field),
		       [array] "r"((size_t)id * sizeof(struct cpu_array)),
		       [regions] "m"(cpu_regions),
		       [shift] "i"(CPU_REGION_SHIFT)
		     : "memory", "cc", "rcx"
		     : empty);
	*ret_object = object;
	return true;
empty:
	return false;
}

/* Put @object on top of this CPU's array @id; false if it's full. */
static ALWAYS_INLINE bool cpu_array_push(unsigned int id, void *object)
{
	__asm__ goto(RSEQ_BEGIN("%%rax") RSEQ_REGION("%%rax")
		     "	movl (%%rax, %[array]), %%ecx\n"
		     "	cmpl 8(%%rax, %[array]), %%ecx\n"
		     "	jae %l[full]\n"
		     "	movq %[object], (%%rax, %%rcx, 8)\n"
		     "	incl %%ecx\n"
		     "	movl %%ecx, (%%rax, %[array])\n" RSEQ_END
		     :
		     : [object] "r"(object), [area] "r"(os_rseq),
		       [field] "r"(os_cpu_field),
		       [array] "r"((size_t)id * sizeof(struct cpu_array)),
		       [regions] "m"(cpu_regions),
		       [shift] "i"(CPU_REGION_SHIFT)
		     : "memory", "cc", "rax", "rcx"
		     : full);
	return true;
full:
	return false;
}

/* Take the top @count objects at most: as cpu_array_take(), as a sequence. */
static inline unsigned int rseq_take(unsigned int id, void **objects,
				     unsigned int count)
{
	unsigned long moved, next;

	__asm__ volatile(
		RSEQ_BEGIN("%%rax") RSEQ_REGION("%%rax")
		"	xorl %k[moved], %k[moved]\n"
		"	movl (%%rax, %[array]), %k[next]\n"
		"	movl %k[next], %%ecx\n"
		"	subl 4(%%rax, %[array]), %%ecx\n"
		"	jbe 2f\n"
		"	cmpl %[count], %%ecx\n"
		"	cmova %[count], %%ecx\n"
		"	subl %%ecx, %k[next]\n"
		"	movl %%ecx, %k[moved]\n"
		"	leaq (%%rax, %[next], 8), %%rsi\n"
		"	movq %[objects], %%rdi\n"
		"	rep movsq\n"
		"	movl %k[next], (%%rax, %[array])\n" RSEQ_END
		: [moved] "=&r"(moved), [next] "=&r"(next)
		: [objects] "r"(objects), [count] "r"(count),
		  [area] "r"(os_rseq), [field] "r"(os_cpu_field),
		  [array] "r"((size_t)id * sizeof(struct cpu_array)),
		  [regions] "m"(cpu_regions), [shift] "i"(CPU_REGION_SHIFT)
		: "memory", "cc", "rax", "rcx", "rsi", "rdi");
	return (unsigned int)moved;
}

/* As cpu_array_give(), as a sequence. */
static inline unsigned int rseq_give(unsigned int id, void *const *objects,
				     unsigned int count)
{
	unsigned long moved, next;

	__asm__ volatile(
		RSEQ_BEGIN("%%rax") RSEQ_REGION("%%rax")
		"	xorl %k[moved], %k[moved]\n"
		"	movl (%%rax, %[array]), %k[next]\n"
		"	movl 8(%%rax, %[array]), %%ecx\n"
		"	subl %k[next], %%ecx\n"
		"	jbe 2f\n"
		"	cmpl %[count], %%ecx\n"
		"	cmova %[count], %%ecx\n"
		"	movl %%ecx, %k[moved]\n"
		"	leaq (%%rax, %[next], 8), %%rdi\n"
		"	addl %%ecx, %k[next]\n"
		"	movq %[objects], %%rsi\n"
		"	rep movsq\n"
		"	movl %k[next], (%%rax, %[array])\n" RSEQ_END
		: [moved] "=&r"(moved), [next] "=&r"(next)
		: [objects] "r"(objects), [count] "r"(count),
		  [area] "r"(os_rseq), [field] "r"(os_cpu_field),
		  [array] "r"((size_t)id * sizeof(struct cpu_array)),
		  [regions] "m"(cpu_regions), [shift] "i"(CPU_REGION_SHIFT)
		: "memory", "cc", "rax", "rcx", "rsi", "rdi");
	return (unsigned int)moved;
}

/*
 * Set the end of this CPU's array @id to @end, if it is @old and no drain has
 * stopped the region; with an @old of 0 the array is opened first, empty, at
 * slot @first. Until its end is set it stays empty and full, so the stores of
 * an attempt that was aborted do no harm. What the end was is returned, or
 * UINT32_MAX if the region is stopped.
 */
static inline uint32_t rseq_set_end(unsigned int id, uint32_t first,
				    uint32_t old, uint32_t end)
{
	uint64_t opened = (uint64_t)first << 32 | first;
	uint32_t seen;

	__asm__ volatile(
		RSEQ_BEGIN("%%rax") RSEQ_REGION("%%rax")
		"	movl $-1, %[seen]\n"
		"	cmpl $0, 12(%%rax)\n"
		"	jne 2f\n"
		"	movl 8(%%rax, %[array]), %[seen]\n"
		"	cmpl %[old], %[seen]\n"
		"	jne 2f\n"
		"	testl %[old], %[old]\n"
		"	jne 5f\n"
		"	movq %[opened], (%%rax, %[array])\n"
		"5:	movl %[end], 8(%%rax, %[array])\n" RSEQ_END
		: [seen] "=&r"(seen)
		: [old] "r"(old), [end] "r"(end), [opened] "r"(opened),
		  [area] "r"(os_rseq), [field] "r"(os_cpu_field),
		  [array] "r"((size_t)id * sizeof(struct cpu_array)),
		  [regions] "m"(cpu_regions), [shift] "i"(CPU_REGION_SHIFT)
		: "memory", "cc", "rax");
	return seen;
}

#endif
