/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asm.h - macros of the guests that are pure assembly, in real and in protected mode.
 *
 * The serial port is polled and never waited for: ser8250 always has room.
 */

UART  = 0x3f8
SLEEP = (5 << 10) | (1 << 13) /* PM1a_CNT: SLP_TYP 5 and SLP_EN, ACPI's S5 on this board */
PM1A  = 0x604

/* The PVH note: the 32-bit physical entry point (Xen's include/public/elfnote.h, type 18). */
.macro pvh_note entry
	.section .note.pvh, "a", @note
	.balign 4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	\entry
	.text
.endm

/*
 * First thing of a raw real-mode image: whoever loaded it may have come with CS:IP or with a flat
 * IP. Find the address, make CS = DS = SS that segment and IP the offset from the image's start.
 */
.macro real_start
	.code16
	cli
	cld
	call	1f
1:	pop	%bx		/* IP of this label in the loader's terms */
	sub	$1b - image, %bx
	shr	$4, %bx
	mov	%cs, %ax
	add	%bx, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0xfff0, %sp
	push	%ax
	push	$2f - image
	lretw
2:
.endm

/* Print the string at %si (real mode) or %esi (protected mode) up to its zero byte. */
.macro say_string
1:	lodsb
	test	%al, %al
	jz	2f
	mov	$UART, %dx
	out	%al, %dx
	jmp	1b
2:
.endm

.macro power_off
	mov	$PM1A, %dx
	mov	$SLEEP, %ax
	out	%ax, %dx
3:	hlt
	jmp	3b
.endm
