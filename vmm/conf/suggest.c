/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

enum { MOST = 64 };

static void lower(char ret[static MOST], const char *s)
{
	str_copy(ret, MOST, s);
	for (; *ret; ret++)
		*ret = (char)tolower((unsigned char)*ret);
}

/* The same letters in another order: a slip of the fingers, "rma". */
static bool is_anagram(const char *a, const char *b)
{
	unsigned char count[256] = {0};

	for (; *a; a++)
		count[(unsigned char)*a]++;
	for (; *b; b++)
		if (count[(unsigned char)*b]-- == 0)
			return false;
	for (size_t i = 0; i < sizeof count; i++)
		if (count[i])
			return false;
	return true;
}

void suggest_consider(struct suggestion *s, const char *name)
{
	char a[MOST], b[MOST];
	size_t n = strlen(name);
	unsigned distance, most = n <= 3 ? 1 : n <= 7 ? 2 : 3;

	if (strlen(s->word) > n + most || strlen(s->word) + most < n)
		return; /* so many letters apart: spare the comparison */
	lower(a, s->word);
	lower(b, name);
	distance = str_distance(a, b);
	if (distance > 1 && is_anagram(a, b))
		distance = 1;
	if (distance > most || distance >= n || (s->best && distance >= s->distance))
		return;
	s->best = name;
	s->distance = distance;
}
