/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/suggest.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

enum { MOST = 64 };

static void lower(char ret[static MOST], const char *s)
{
	str_copy(ret, MOST, s);
	for (; *ret; ret++)
		*ret = (char)tolower((unsigned char)*ret);
}

void suggest_consider(struct suggestion *s, const char *name)
{
	char a[MOST], b[MOST];
	size_t n = strlen(name);
	unsigned distance, most = n <= 3 ? 1 : n <= 7 ? 2 : 3;

	lower(a, s->word);
	lower(b, name);
	distance = str_distance(a, b);
	if (distance > most || distance >= n || (s->best && distance >= s->distance))
		return;
	s->best = name;
	s->distance = distance;
}
