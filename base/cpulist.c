/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpulist.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/str.h"

static int number(const char **s, unsigned long *ret)
{
	char *end;

	if (!isdigit((unsigned char)**s))
		return -1;
	*ret = strtoul(*s, &end, 10);
	*s = end;
	return *ret < CPU_SETSIZE ? 0 : -1;
}

int cpulist_read(const char *s, cpu_set_t *ret, struct err *e)
{
	const char *at = s;
	cpu_set_t set;

	CPU_ZERO(&set);
	for (;; at++) {
		unsigned long first, last;

		if (number(&at, &first) < 0)
			break;
		last = first;
		if (*at == '-' && (at++, number(&at, &last) < 0))
			break;
		if (last < first || (*at && *at != ','))
			break;
		for (; first <= last; first++)
			CPU_SET(first, &set);
		if (*at == '\0') {
			*ret = set;
			return 0;
		}
	}
	return err_set(e, INVALID,
		       "'%.64s' is no list of CPUs: write numbers from 0 to %d, like 0,2-3", s,
		       CPU_SETSIZE - 1);
}

const char *cpulist_write(const cpu_set_t *set, char *ret, size_t cap)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned first = 0, last; first < CPU_SETSIZE; first = last + 1) {
		last = first;
		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		str_add(ret, cap, &len, "%s%u", len ? "," : "", first);
		if (last > first)
			str_add(ret, cap, &len, "-%u", last);
	}
	return ret;
}

int cpulist_cluster(const char *clusters, const char *name, cpu_set_t *ret, struct err *e)
{
	size_t n = strlen(name);

	for (const char *s = clusters + strspn(clusters, " "); *s; s += strspn(s, " ")) {
		size_t bytes = strcspn(s, " ");
		char word[CPULIST_CLUSTERS];

		if (bytes > n && bytes < sizeof word && !strncmp(s, name, n) && s[n] == '=') {
			memcpy(word, s + n + 1, bytes - n - 1);
			word[bytes - n - 1] = '\0';
			return cpulist_read(word, ret, e) < 0 ? -1 : 1;
		}
		s += bytes;
	}
	return 0;
}

int cpulist_add_cluster(char clusters[static CPULIST_CLUSTERS], const char *name, const char *cpus,
			struct err *e)
{
	size_t len = strlen(clusters), need = strlen(name) + strlen(cpus) + 3;
	cpu_set_t set;

	if (!name_is_valid(name))
		return err_set(e, INVALID,
			       "'%.64s' is no name for a cluster: 1 to 63 of a-z 0-9 . _ -", name);
	if (cpulist_read(cpus, &set, e) < 0)
		return -1;
	if (cpulist_cluster(clusters, name, &set, e) != 0)
		return err_set(e, INVALID, "cluster '%s' is defined twice", name);
	if (len + need > CPULIST_CLUSTERS)
		return err_set(e, INVALID, "the clusters take more than %d bytes together",
			       CPULIST_CLUSTERS - 1);
	str_add(clusters, CPULIST_CLUSTERS, &len, "%s%s=%s", len ? " " : "", name, cpus);
	return 0;
}
