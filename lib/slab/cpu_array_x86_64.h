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
#define RSEQ_BEGIN(scratch)                          \
	".pushsection __rseq_cs, \"aw\"\n"           \
	"	.balign 32\n"                              \
	"3:	.long 0, 0\n"                            \
	"	.quad 1f, 2f - 1f, 4f\n"                   \
	".popsection\n"                              \
	".pushsection __rseq_cs_ptr_array, \"aw\"\n" \
	"	.quad 3b\n"                                \
	".popsection\n"                              \
	"0:	leaq 3b(%%rip), " scratch "\n"       \
	"	movq " scratch ", 8(%[area])\n"      \
	"1:\n"

#define RSEQ_END                                  \
	"2:\n"                                    \
	".pushsection .text.rseq_abort, \"ax\"\n" \
	"	.byte 0x0f, 0xb9, 0x3d\n"               \
	"	.long 0x53053053\n"                     \
	"4:	jmp 0b\n"                             \
	".popsection\n"

/* This CPU's entry of array @id in the table of tops. The other tables lie at
 * constant distances from it. */
#define RSEQ_TOP(reg)                                  \
	"	movslq (%[area], %[field]), " reg "\n" \
	"	shlq %[shift], " reg "\n"              \
	"	addq %[regions], " reg "\n"            \
	"	leaq (" reg ", %[id], 8), " reg "\n"

#define RSEQ_INPUTS                                               \
	[area] "r"(os_thread.rseq), [field] "r"(os_cpu_field),    \
		[id] "r"((size_t)id), [regions] "m"(cpu_regions), \
		[shift] "i"(CPU_REGION_SHIFT),                    \
		[begin] "i"(offsetof(struct cpu_region, begin)),  \
		[end] "i"(offsetof(struct cpu_region, end))

static_assert(offsetof(struct rseq_area, rseq_cs) == 8, "RSEQ_BEGIN stores it");
static_assert(offsetof(struct cpu_region, top) == 0, "RSEQ_TOP finds it");

/* Take the top object of this CPU's array @id; false if there is none. */
static ALWAYS_INLINE bool cpu_array_pop(unsigned int id, void **ret_object)
{
	void *object, *entry;

	__asm__ volatile goto(
		RSEQ_BEGIN("%[entry]") RSEQ_TOP(
			"%[entry]") "	movq (%[entry]), %%rcx\n"
				    "	cmpq %c[begin](%[entry]), %%rcx\n"
				    "	jbe %l[empty]\n"
				    "	movq -8(%%rcx), %[object]\n"
				    "	subq $8, %%rcx\n"
				    "	movq %%rcx, (%[entry])\n" RSEQ_END
		: [object] "=&a"(object), [entry] "=&r"(entry)
		: RSEQ_INPUTS
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
	__asm__ volatile goto(
		RSEQ_BEGIN("%%rax")
			RSEQ_TOP("%%rax") "	movq (%%rax), %%rcx\n"
					  "	cmpq %c[end](%%rax), %%rcx\n"
					  "	jae %l[full]\n"
					  "	movq %[object], (%%rcx)\n"
					  "	addq $8, %%rcx\n"
					  "	movq %%rcx, (%%rax)\n" RSEQ_END
		:
		: RSEQ_INPUTS, [object] "r"(object)
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
	size_t most = count, moved, top;

	__asm__ volatile(RSEQ_BEGIN("%%rax") RSEQ_TOP(
				 "%%rax") "	xorl %k[moved], %k[moved]\n"
					  "	movq (%%rax), %[top]\n"
					  "	movq %[top], %%rcx\n"
					  "	subq %c[begin](%%rax), %%rcx\n"
					  "	jbe 2f\n"
					  "	shrq $3, %%rcx\n"
					  "	cmpq %[most], %%rcx\n"
					  "	cmovaq %[most], %%rcx\n"
					  "	movq %%rcx, %[moved]\n"
					  "	shlq $3, %%rcx\n"
					  "	subq %%rcx, %[top]\n"
					  "	movq %[moved], %%rcx\n"
					  "	movq %[top], %%rsi\n"
					  "	movq %[objects], %%rdi\n"
					  "	rep movsq\n"
					  "	movq %[top], (%%rax)\n" RSEQ_END
			 : [moved] "=&r"(moved), [top] "=&r"(top)
			 : RSEQ_INPUTS, [objects] "r"(objects), [most] "r"(most)
			 : "memory", "cc", "rax", "rcx", "rsi", "rdi");
	return (unsigned int)moved;
}

/* As cpu_array_give(), as a sequence. */
static inline unsigned int rseq_give(unsigned int id, void *const *objects,
				     unsigned int count)
{
	size_t most = count, moved;

	__asm__ volatile(RSEQ_BEGIN("%%rax") RSEQ_TOP(
				 "%%rax") "	xorl %k[moved], %k[moved]\n"
					  "	movq (%%rax), %%rdi\n"
					  "	movq %c[end](%%rax), %%rcx\n"
					  "	subq %%rdi, %%rcx\n"
					  "	jbe 2f\n"
					  "	shrq $3, %%rcx\n"
					  "	cmpq %[most], %%rcx\n"
					  "	cmovaq %[most], %%rcx\n"
					  "	movq %%rcx, %[moved]\n"
					  "	movq %[objects], %%rsi\n"
					  "	rep movsq\n"
					  "	movq %%rdi, (%%rax)\n" RSEQ_END
			 : [moved] "=&r"(moved)
			 : RSEQ_INPUTS, [objects] "r"(objects), [most] "r"(most)
			 : "memory", "cc", "rax", "rcx", "rsi", "rdi");
	return (unsigned int)moved;
}

/*
 * Set the end of this CPU's array @id to @end, if it is @old and no drain has
 * marked the region; and, unless @first is 0, its begin and top to @first, if
 * it's empty. All are distances from the start of the region, in bytes; an @old
 * of 0 is that of a closed array. What the end was is returned, or SIZE_MAX if
 * the region is marked or the array not empty.
 *
 * Four stores, so an aborted attempt may leave some: the array is closed first,
 * and a top of 0 keeps it empty while its begin changes, in whichever direction
 * that is.
 */
static inline size_t rseq_set_end(unsigned int id, size_t first, size_t old,
				  size_t end)
{
	size_t seen;

	__asm__ volatile(
		RSEQ_BEGIN("%%rax") "	movslq (%[area], %[field]), %%rax\n"
				    "	shlq %[shift], %%rax\n"
				    "	addq %[regions], %%rax\n"
				    "	movq $-1, %[seen]\n"
				    "	cmpq $0, %c[begin](%%rax)\n"
				    "	jne 2f\n"
				    "	movq %c[end](%%rax, %[id], 8), "
				    "%[seen]\n"
				    "	testq %[seen], %[seen]\n"
				    "	jz 5f\n"
				    "	subq %%rax, %[seen]\n"
				    "5:	cmpq %[old], %[seen]\n"
				    "	jne 2f\n"
				    "	testq %[first], %[first]\n"
				    "	jz 6f\n"
				    "	movq (%%rax, %[id], 8), %%rcx\n"
				    "	cmpq %c[begin](%%rax, %[id], 8), "
				    "%%rcx\n"
				    "	movq $-1, %%rcx\n"
				    "	cmovaq %%rcx, %[seen]\n"
				    "	ja 2f\n"
				    "	movq $0, %c[end](%%rax, %[id], 8)\n"
				    "	movq $0, (%%rax, %[id], 8)\n"
				    "	leaq (%%rax, %[first]), %%rcx\n"
				    "	movq %%rcx, %c[begin](%%rax, %[id], "
				    "8)\n"
				    "	movq %%rcx, (%%rax, %[id], 8)\n"
				    "6:	leaq (%%rax, %[new_end]), %%rcx\n"
				    "	movq %%rcx, %c[end](%%rax, %[id], "
				    "8)\n" RSEQ_END
		: [seen] "=&r"(seen)
		: RSEQ_INPUTS, [first] "r"(first), [old] "r"(old),
		  [new_end] "r"(end)
		: "memory", "cc", "rax", "rcx");
	return seen;
}

#endif
