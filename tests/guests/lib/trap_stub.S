/* SPDX-License-Identifier: Apache-2.0 */
/* Entry stubs of all vectors: a uniform frame, then trap_enter() of trap.c. */

	.text
.macro stub n
stub_\n:
	/* 8, 10 to 14, 17, 21, 29 and 30 come with an error code (Intel SDM vol. 3, table 6-1) */
	.if ((0x60227d00 >> \n) & 1) == 0 || \n > 31
	push	$0
	.endif
	push	$\n
	jmp	common
.endm
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, \
		17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33
	stub	\n
	.endr

common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	mov	%rsp, %rdi
	cld
	call	trap_enter
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.section .rodata
	.balign	8
	.globl	trap_stubs
trap_stubs:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, \
		17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33
	.quad	stub_\n
	.endr
	.section .note.GNU-stack, "", @progbits
