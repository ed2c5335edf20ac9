/* SPDX-License-Identifier: Apache-2.0 */
/* triple - an exception without an interrupt table: the processor shuts down. */
#include "asm.inc"

	pvh_note _start
	.globl	_start
_start:
	cld
	mov	$text, %esi
	say_string
	lidt	empty
	ud2
text:	.asciz	"about to fault three times\r\n"
	.balign	4
empty:	.word	0
	.long	0
