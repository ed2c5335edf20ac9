/* SPDX-License-Identifier: Apache-2.0 */
/* spin - one line, then reads a port for ever: never idle and always exiting. */
#include "asm.inc"

	pvh_note _start
	.globl	_start
_start:
	cld
	mov	$text, %esi
	say_string
	mov	$UART + 5, %dx
1:	in	%dx, %al
	jmp	1b
text:	.asciz	"spinning\r\n"
