/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/range.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits; a number that is too large is the largest. */
static bool read_number(const char **at, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*ret = strtoull(*at, &end, 10);
	*at = end;
	return true;
}

/* "-500": the last so many */
static enum range_kind read_suffix(const char *at, uint64_t size, struct range *ret)
{
	uint64_t n;

	at++;
	if (!read_number(&at, &n) || *at)
		return RANGE_WHOLE;
	if (n == 0 || size == 0)
		return RANGE_NONE;
	n = n < size ? n : size;
	*ret = (struct range){size - n, n};
	return RANGE_PART;
}

enum range_kind range_read(const char *text, uint64_t size, struct range *ret)
{
	static const char unit[] = "bytes=";
	uint64_t first, last = UINT64_MAX;
	const char *at = text + sizeof unit - 1;

	*ret = (struct range){0, size};
	if (strncasecmp(text, unit, sizeof unit - 1) != 0)
		return RANGE_WHOLE;
	if (*at == '-')
		return read_suffix(at, size, ret);
	if (!read_number(&at, &first) || *at++ != '-')
		return RANGE_WHOLE;
	if (*at && (!read_number(&at, &last) || *at || last < first))
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_NONE;
	last = last < size ? last : size - 1;
	*ret = (struct range){first, last - first + 1};
	return RANGE_PART;
}
