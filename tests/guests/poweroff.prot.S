/* SPDX-License-Identifier: Apache-2.0 */
/* poweroff - ACPI S5 at once and without a word. */
#include "asm.inc"

	pvh_note _start
	.globl	_start
_start:
	power_off
