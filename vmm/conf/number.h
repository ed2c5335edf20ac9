/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number.h - the numbers of the configuration language. Worker.
 *
 * Prefixes 0x (hexadecimal) and 0d (decimal), suffixes K M G k m g (powers of 1024). Without a
 * prefix an address is hexadecimal and a size is decimal: a trap of the original that stays, with a
 * warning (number_is_ambiguous).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NUMBER_ADDRESS_FORM "an address is hexadecimal: 0x100000, or 0d1048576, or 1M"
#define NUMBER_SIZE_FORM    "a size is decimal: 64M, 655360, or 0xa0000"

int number_address(const char *s, size_t n, uint64_t *ret, struct err *e);
int number_size(const char *s, size_t n, uint64_t *ret, struct err *e);
/* Other numbers: decimal, or 0x; no suffix. */
int number_plain(const char *s, size_t n, uint64_t *ret, struct err *e);
/* An address without prefix that another reader would take for decimal: "100000", "16m". */
bool number_is_ambiguous(const char *s, size_t n);
