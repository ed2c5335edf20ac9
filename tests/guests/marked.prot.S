/* SPDX-License-Identifier: Apache-2.0 */
/* marked - known values in registers, on the stack and in memory, then one instruction for ever:
 * what a dump of it must show. The last byte that it prints, 0xce, tells that all is in place. */
#include "asm.inc"

	pvh_note _start
	.globl	_start
_start:
	cld
	mov	$text, %esi
	say_string
	movl	$0x600dcafe, 0x200000
	mov	$0x201000, %esp
	push	$0x57acced
	mov	$0xa11ce, %eax
	mov	$0xb0b, %ebx
	mov	$0xc0ffee, %ecx
	mov	$0xd00d1e, %ebp
	mov	$UART, %dx
	out	%al, %dx
	.globl	spin
spin:	jmp	spin
text:	.asciz	"marked\r\n"
