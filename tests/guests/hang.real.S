/* SPDX-License-Identifier: Apache-2.0 */
/* hang - spins without ever leaving the guest. Two bytes. */
	.text
	.code16
	.globl	image
image:	jmp	image
