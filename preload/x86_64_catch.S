/* SPDX-License-Identifier: MIT */
/*
 * void *call_catching(new_function function, size_t size, size_t align): call
 * it, and return NULL if it throws. catch.c tells the unwinder to come back to
 * call_catching_landing, with the exception in rax.
 */
	.text
	.globl	call_catching
	.hidden	call_catching
	.type	call_catching, @function
	.p2align 4
call_catching:
	.cfi_startproc
	.cfi_personality 0x1b, catch_personality
	endbr64
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	call	*%rax
	add	$8, %rsp
	.cfi_remember_state
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_restore_state
	.globl	call_catching_landing
	.hidden	call_catching_landing
call_catching_landing:
	endbr64
	mov	%rax, %rdi
	call	catch_drop
	xor	%eax, %eax
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	call_catching, . - call_catching

	.section .note.GNU-stack, "", @progbits
