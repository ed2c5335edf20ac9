/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - the kinds of event; the table is journal.def. Supervisor and API. */
#pragma once

enum journal {
#define JOURNAL(sym, id, message_id, priority, what) JOURNAL_##sym,
#include "schemas/journal.def"
#undef JOURNAL
	JOURNAL_COUNT
};

struct journal_kind {
	const char *id, *message_id, *what;
	int priority;
};

extern const struct journal_kind journal_table[JOURNAL_COUNT];
