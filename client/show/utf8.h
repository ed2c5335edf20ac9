/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - characters counted as the diagnostics count their columns: code points. qvmadm. */
#pragma once

#include <stddef.h>

/* Characters in n bytes; stray bytes that continue nothing count nothing. */
unsigned utf8_count(const char *s, size_t n);
/* Bytes of the first n characters of a terminated text, at most all. */
size_t utf8_bytes(const char *s, unsigned n);
