/* SPDX-License-Identifier: MIT */
/*
 * int vfork(void), a detour on the way to libc's: the child shares our memory
 * but has no restartable sequences, so this thread gives up its own before
 * libc's vfork takes the return address from the stack.
 */
	.text
	.globl	vfork
	.type	vfork, @function
	.p2align 4
vfork:
	.cfi_startproc
	endbr64
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	sm_before_vfork
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	*__vfork@GOTPCREL(%rip)
	.cfi_endproc
	.size	vfork, . - vfork

	.section .note.GNU-stack, "", @progbits
