/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/size.h"

#include <inttypes.h>
#include <stdio.h>

const char *size_text(uint64_t bytes, char ret[static SIZE_TEXT])
{
	static const char unit[] = "KMGTPE";
	double n = (double)bytes;
	int u = -1;

	/* Before the rounding would say 1024.0. */
	for (; n >= 1023.95 && unit[u + 1]; u++)
		n /= 1024;
	if (u < 0)
		snprintf(ret, SIZE_TEXT, "%" PRIu64 " B", bytes);
	else
		snprintf(ret, SIZE_TEXT, "%.1f %ciB", n, unit[u]);
	return ret;
}
