/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h - text of unknown origin, measured in characters and made safe to show. Worker.
 */
#pragma once

#include <stddef.h>

/* Bytes of the character at s (n bytes are left): 1 to 4, or 0 if it is not well-formed UTF-8, a
 * control character, or a noncharacter that terminals act on (C1). A tab counts as a character. */
size_t utf8_char(const char *s, size_t n);
/* Characters in n bytes; a malformed byte counts as one. */
unsigned utf8_columns(const char *s, size_t n);
/* Replace what utf8_char() refuses by '?', in place. */
void utf8_repair(char *s);
/* Copy n bytes into cap, cut between characters, repaired and terminated. */
void utf8_copy(char *dst, size_t cap, const char *src, size_t n);
