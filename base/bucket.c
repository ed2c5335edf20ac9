/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bucket.h"

#include <inttypes.h>
#include <stdio.h>

bool bucket_take(struct bucket *b, uint64_t now_ms, char ret_text[static BUCKET_TEXT])
{
	uint64_t next_ms = atomic_load(&b->next_ms), held;

	/* Of several at once, one wins. */
	if (now_ms < next_ms ||
	    !atomic_compare_exchange_strong(&b->next_ms, &next_ms, now_ms + BUCKET_MS)) {
		atomic_fetch_add(&b->n_held, 1);
		return false;
	}
	held = atomic_exchange(&b->n_held, 0);
	ret_text[0] = '\0';
	if (held)
		snprintf(ret_text, BUCKET_TEXT, " (%" PRIu64 " more like it in between)", held);
	return true;
}
