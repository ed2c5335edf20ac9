/* SPDX-License-Identifier: Apache-2.0 */
#include "base/name.h"

#include <string.h>

bool name_is_valid(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strnlen(s, NAME_CAP);

	return n > 0 && n < NAME_CAP && strchr(first, s[0]) && strspn(s, rest) == n;
}
