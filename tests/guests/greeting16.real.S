/* SPDX-License-Identifier: Apache-2.0 */
/* greeting16 - one line from real mode, then power off. */
#include "asm.inc"

	.text
	.globl	image
image:
	real_start
	mov	$text - image, %si
	say_string
	power_off
text:	.asciz	"hello from real mode\r\n"
