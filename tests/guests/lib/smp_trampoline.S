/* SPDX-License-Identifier: Apache-2.0 */
/* Where a woken vCPU starts: copied to a page below 1 MiB, in real mode with CS:0 at its start. */
#define CODE32 0x38

	.section .rodata
	.globl	smp_trampoline, smp_trampoline_end
	.code16
smp_trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	gdt_pointer - smp_trampoline
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$CODE32, $start_ap32
	.balign	4
gdt_pointer:
	.word	0x3f
	.long	start_gdt
smp_trampoline_end:

	.text
	.code64
	.globl	smp_enter64
smp_enter64:
	mov	$1, %eax
	lock xadd %eax, smp_arrived
	inc	%eax
	shl	$12, %eax		/* 4 KiB of stack each */
	lea	smp_stacks(%rax), %rsp
	call	smp_main
1:	cli
	hlt
	jmp	1b
	.section .note.GNU-stack, "", @progbits
