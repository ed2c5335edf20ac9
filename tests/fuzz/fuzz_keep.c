/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor may give the keeper: records of a kind byte, then a key; the shelf holds together. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/keeper/shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct msg_keep *a = &s->item[i].m;

		if (s->item[i].fd < 0 || strnlen(a->owner, sizeof a->owner) == sizeof a->owner)
			__builtin_trap();
		for (size_t j = 0; j < i; j++) {
			const struct msg_keep *b = &s->item[j].m;

			if (a->kind == b->kind && a->tag == b->tag &&
			    a->generation == b->generation && !strcmp(a->owner, b->owner))
				__builtin_trap();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum { KEY = sizeof(struct msg_keep) - KEEP_NOTE, MOST = 64 };
	struct shelf s = {0};
	struct err e = {0};

	for (size_t at = 0, i = 0; at + 1 + KEY <= n && i < MOST; at += 1 + KEY, i++) {
		struct msg_keep m = {0};
		struct msg_drop drop = {0};

		memcpy(&m, data + at + 1, KEY);
		memcpy(&drop, data + at + 1, sizeof drop < KEY ? sizeof drop : KEY);
		drop.owner[sizeof drop.owner - 1] = '\0';
		if (data[at] & 1)
			shelf_drop(&s, &drop);
		else if (keep_check(&m, &e) == 0)
			shelf_put(&s, &m, open("/dev/null", O_RDONLY | O_CLOEXEC));
		else if (e.code != ERR_PROTOCOL)
			__builtin_trap();
		check(&s);
	}
	shelf_orphan(&s, 1);
	shelf_shut_due(&s, UINT64_MAX);
	shelf_clear(&s);
	return 0;
}
