/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/utf8.h"

#include <stdbool.h>

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

unsigned utf8_count(const char *s, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += !continues(s[i]);
	return count;
}

size_t utf8_bytes(const char *s, unsigned n)
{
	size_t i = 0;

	while (s[i] && (n || continues(s[i])))
		n -= !continues(s[i++]);
	return i;
}
