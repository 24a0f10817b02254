/* SPDX-License-Identifier: MIT */
/*
 * What has to be said to the x86-64 processor: calls that must not leave a
 * frame of ours behind them, and the one that has to catch.
 */
	.text

/*
 * int vfork(void): the child shares our memory but has no restartable
 * sequences, so this thread gives up its own before libc's vfork takes the
 * return address from the stack.
 */
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

/*
 * void *call_catching(new_function function, size_t size, size_t align)
 */
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
