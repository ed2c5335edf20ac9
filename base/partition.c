/* SPDX-License-Identifier: Apache-2.0 */
#include "base/partition.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { WEIGHT_MOST = 10000, PERCENT_MOST = 100000 };

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n < PARTITION_NAME && !s[n];
}

int partition_find(const char *partitions, const char *name, struct partition *ret)
{
	size_t n = strlen(name);

	for (const char *s = partitions + strspn(partitions, " "); *s; s += strspn(s, " ")) {
		if (!strncmp(s, name, n) && s[n] == '=') {
			*ret = (struct partition){0};
			str_copy(ret->name, sizeof ret->name, name);
			return sscanf(s + n + 1, "%u/%u", &ret->weight, &ret->percent) >= 1;
		}
		s += strcspn(s, " ");
	}
	return 0;
}

static int read_budget(const char *name, const char *value, struct partition *ret, struct err *e)
{
	int end = 0;

	*ret = (struct partition){0};
	if (strspn(value, "0123456789 %") != strlen(value) ||
	    (!(sscanf(value, "%5u %n", &ret->weight, &end) == 1 && end && !value[end]) &&
	     !(sscanf(value, "%5u %6u%% %n", &ret->weight, &ret->percent, &end) == 2 &&
	       !value[end])))
		return err_set(e, INVALID,
			       "partition '%s' is '%.40s'; write WEIGHT, or WEIGHT MOST%%, as in "
			       "`400 150%%`",
			       name, value);
	if (ret->weight < 1 || ret->weight > WEIGHT_MOST)
		return err_set(e, INVALID, "partition '%s' has the weight %u, not 1 to %d", name,
			       ret->weight, WEIGHT_MOST);
	if (strchr(value, '%') && (ret->percent < 1 || ret->percent > PERCENT_MOST))
		return err_set(e, INVALID, "partition '%s' has %u%% of a CPU, not 1 to %d", name,
			       ret->percent, PERCENT_MOST);
	return 0;
}

int partition_add(char partitions[static PARTITION_TEXT], const char *name, const char *value,
		  struct err *e)
{
	size_t len = strlen(partitions);
	char word[PARTITION_NAME + 24];
	struct partition b, other;

	if (!is_name(name))
		return err_set(e, INVALID,
			       "'%.64s' is no name for a partition: 1 to %d of a-z 0-9 _", name,
			       PARTITION_NAME - 1);
	if (read_budget(name, value, &b, e) < 0)
		return -1;
	if (partition_find(partitions, name, &other))
		return err_set(e, INVALID, "partition '%s' is defined twice", name);
	snprintf(word, sizeof word, b.percent ? "%s%s=%u/%u" : "%s%s=%u", len ? " " : "", name,
		 b.weight, b.percent);
	if (len + strlen(word) >= PARTITION_TEXT)
		return err_set(e, INVALID, "the partitions take more than %d bytes together",
			       PARTITION_TEXT - 1);
	str_add(partitions, PARTITION_TEXT, &len, "%s", word);
	return 0;
}
