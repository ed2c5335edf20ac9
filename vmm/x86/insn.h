/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insn.h - the length of an x86 instruction, for `unsupported instruction ignore`. Worker.
 *
 * Intel SDM volume 2, chapter 2 and appendix A: prefixes, REX, VEX, EVEX, the one-byte map, 0F, 0F38
 * and 0F3A. The bytes are the guest's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes of the instruction at the start of n bytes; bits: 16, 32 or 64. 0: not whole, or invalid. */
size_t insn_length(const uint8_t *bytes, size_t n, unsigned bits);
