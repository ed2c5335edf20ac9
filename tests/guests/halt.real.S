/* SPDX-License-Identifier: Apache-2.0 */
/* halt - halts with interrupts off: nothing can wake it. Two bytes. */
	.text
	.code16
	.globl	image
image:	cli
	hlt
