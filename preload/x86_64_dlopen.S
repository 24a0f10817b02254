/* SPDX-License-Identifier: MIT */
/*
 * dlopen() and dlmopen() without RTLD_DEEPBIND, which would bind the new module
 * to libc's malloc while it exchanges blocks with ours.
 *
 * They end in a jump, so libc finds the return address of the caller on the
 * stack: by that it knows whose RUNPATH and whose namespace to search.
 */
	.text

/* void *dlopen(const char *file, int mode) */
	.globl	dlopen
	.type	dlopen, @function
	.p2align 4
dlopen:
	.cfi_startproc
	endbr64
	push	%rdi
	.cfi_adjust_cfa_offset 8
	mov	%esi, %edi
	call	dlopen_mode
	pop	%rdi
	.cfi_adjust_cfa_offset -8
	mov	%eax, %esi
	jmp	*dlopen_next(%rip)
	.cfi_endproc
	.size	dlopen, . - dlopen

/* void *dlmopen(Lmid_t namespace, const char *file, int mode) */
	.globl	dlmopen
	.type	dlmopen, @function
	.p2align 4
dlmopen:
	.cfi_startproc
	endbr64
	push	%rdi
	.cfi_adjust_cfa_offset 8
	push	%rsi
	.cfi_adjust_cfa_offset 8
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	mov	%edx, %edi
	call	dlopen_mode
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	pop	%rsi
	.cfi_adjust_cfa_offset -8
	pop	%rdi
	.cfi_adjust_cfa_offset -8
	mov	%eax, %edx
	jmp	*dlmopen_next(%rip)
	.cfi_endproc
	.size	dlmopen, . - dlmopen

	.section .note.GNU-stack, "", @progbits
