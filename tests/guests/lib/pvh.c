/* SPDX-License-Identifier: Apache-2.0 */
#include "pvh.h"

#include <stddef.h>

uint64_t pvh_ram_bytes(const struct pvh_info *info)
{
	const struct pvh_memory *m = (const struct pvh_memory *)(uintptr_t)info->memory_gpa;
	uint64_t sum = 0;

	if (info->version < 1 || !m)
		return 0;
	for (uint32_t i = 0; i < info->n_memory; i++)
		if (m[i].type == PVH_RAM)
			sum += m[i].bytes;
	return sum;
}

static int is_end(char c)
{
	return c == 0 || c == ' ';
}

const char *pvh_option(const struct pvh_info *info, const char *name)
{
	const char *p = (const char *)(uintptr_t)info->cmdline_gpa;

	while (p && *p) {
		const char *n = name;

		while (*n && *p == *n)
			p++, n++;
		if (!*n && *p == '=')
			return p + 1;
		while (!is_end(*p))
			p++;
		while (*p == ' ')
			p++;
	}
	return NULL;
}

uint64_t pvh_number(const struct pvh_info *info, const char *name, uint64_t fallback)
{
	const char *p = pvh_option(info, name);
	uint64_t v = 0;

	if (!p || *p < '0' || *p > '9')
		return fallback;
	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	return v;
}

int pvh_is(const struct pvh_info *info, const char *name, const char *word)
{
	const char *p = pvh_option(info, name);

	while (p && *word && *p == *word)
		p++, word++;
	return p && !*word && is_end(*p);
}
