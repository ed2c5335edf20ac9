/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_greeting - what a client of virtio-vsock sends first, as it trickles in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/virtio/greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char again[GREETING_MOST + 2];
	uint32_t port = 0;
	int got = 0;

	for (size_t i = 1; i <= n && got == 0; i++) {
		got = greeting_read((const char *)data, i, &port);
		if (got == 0 && i >= GREETING_MOST)
			abort(); /* it would wait for ever */
		if (got != 1)
			continue;
		/* What was understood is what was said, but for leading zeroes. */
		snprintf(again, sizeof again, "CONNECT %u\n", port);
		if (strlen(again) > i ||
		    memcmp(again + 8, data + 8 + (i - strlen(again)), strlen(again) - 8) != 0)
			abort();
	}
	return 0;
}
