/* SPDX-License-Identifier: Apache-2.0 */
/* greeting32 - one line from protected mode, then power off. */
#include "asm.inc"

	pvh_note _start
	.globl	_start
_start:
	cld
	mov	$text, %esi
	say_string
	power_off
text:	.asciz	"hello from protected mode\r\n"
