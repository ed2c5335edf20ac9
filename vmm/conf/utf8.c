/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_char(const char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
	unsigned char c = n ? (unsigned char)s[0] : 0;
	uint32_t value;
	size_t bytes;

	if (c < 0x80)
		return (c >= 0x20 && c != 0x7f) || c == '\t';
	bytes = c >= 0xf0 && c < 0xf5	? 4
		: c >= 0xe0 && c < 0xf0 ? 3
		: c >= 0xc2 && c < 0xe0 ? 2
					: 0;
	if (bytes == 0 || bytes > n)
		return 0;
	value = c & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if (!is_continuation(s[i]))
			return 0;
		value = value << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	return bytes;
}

unsigned utf8_columns(const char *s, size_t n)
{
	unsigned columns = 0;

	for (size_t i = 0; i < n; columns++) {
		size_t bytes = utf8_char(s + i, n - i);

		i += bytes ? bytes : 1;
	}
	return columns;
}

void utf8_repair(char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		size_t bytes = utf8_char(s + i, n - i);

		if (bytes == 0)
			s[i] = '?';
		i += bytes ? bytes : 1;
	}
}

void utf8_copy(char *dst, size_t cap, const char *src, size_t n)
{
	if (n >= cap) {
		n = cap - 1;
		while (n > 0 && is_continuation(src[n]))
			n--;
	}
	memcpy(dst, src, n);
	for (size_t i = 0; i < n; i++)
		if (dst[i] == '\0')
			dst[i] = '?';
	dst[n] = '\0';
	utf8_repair(dst);
}
