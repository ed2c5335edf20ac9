/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/greeting.h"

#include <string.h>

int greeting_read(const char *line, size_t n, uint32_t *ret_port)
{
	static const char word[] = "CONNECT ";
	const size_t first = sizeof word - 1;
	uint64_t port = 0;

	if (n > GREETING_MOST || memcmp(line, word, n < first ? n : first) != 0)
		return -1;
	for (size_t i = first; i < n; i++) {
		if (line[i] == '\n' && i > first) {
			*ret_port = (uint32_t)port;
			return i + 1 == n ? 1 : -1;
		}
		if (line[i] < '0' || line[i] > '9')
			return -1;
		port = port * 10 + (uint64_t)(line[i] - '0');
		if (port > UINT32_MAX)
			return -1;
	}
	return n < GREETING_MOST ? 0 : -1;
}
