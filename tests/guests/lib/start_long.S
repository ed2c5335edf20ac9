/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of every long-mode guest: from PVH's 32-bit protected mode (start info in EBX) to
 * guest_main(info) with 4 GiB identity-mapped. The tables are data, not code: ring 0 may be
 * emulated an instruction at a time, and 2,048 entries would be seen in the start time.
 */
#include "asm.inc"

#define CODE64 0x08
#define DATA   0x10
#define CODE32 0x38

	pvh_note _start

	.globl	_start, start_ap32, start_gdt, start_gdt_pointer
	.code32
_start:
	cli
	cld
	lgdt	start_gdt_pointer
	mov	$stack_end, %esp
	mov	$1f, %edi
	jmp	long_mode

/* Every vCPU: protected mode without paging in, long mode out, on at %edi. */
long_mode:
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER */
	rdmsr
	or	$0x100, %eax		/* LME */
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax	/* PG, PE */
	mov	%eax, %cr0
	ljmp	$CODE64, $here64
	.code64
here64:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%edi, %edi
	jmp	*%rdi

1:	mov	%ebx, %edi
	call	guest_main
	call	power_off

/* A vCPU that the trampoline of smp_trampoline.S brought into protected mode. */
	.code32
start_ap32:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$2f, %edi
	jmp	long_mode
	.code64
2:	jmp	*start_ap64

	.data
	.balign	8
	.globl	start_ap64
start_ap64:				/* where smp.c wants the vCPUs that it wakes */
	.quad	0
	.globl	start_gdt
	.balign	8
start_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 08 code, 64 bits */
	.quad	0x00cf93000000ffff	/* 10 data */
	.quad	0x00affb000000ffff	/* 18 code of ring 3, 64 bits */
	.quad	0x00cff3000000ffff	/* 20 data of ring 3 */
	.quad	0, 0			/* 28 task state, filled by ring3.c */
	.quad	0x00cf9b000000ffff	/* 38 code, 32 bits */
start_gdt_end:
start_gdt_pointer:
	.word	start_gdt_end - start_gdt - 1
	.long	start_gdt
	.long	0			/* as lgdt reads it in long mode */

/* Present, writable, user: ring 3 sees what ring 0 sees. */
	.balign	4096
pml4:	.quad	pdpt + 7
	.fill	511, 8, 0
pdpt:	.quad	pd + 7, pd + 0x1007, pd + 0x2007, pd + 0x3007
	.fill	508, 8, 0
pd:
.set page, 0
.rept 2048
	.quad	(page << 21) | 0x87	/* 2 MiB pages */
	.set page, page + 1
.endr

	.bss
	.balign	16
	.skip	16384
stack_end:
	.section .note.GNU-stack, "", @progbits
