/* SPDX-License-Identifier: Apache-2.0 */
/* say.h - printf of the guests, onto the serial port. */
#pragma once

/* %s, %c, %u (unsigned), %U (uint64_t), %x (uint64_t, hexadecimal), %2 (unsigned, two digits), %%. */
void say(const char *format, ...);
