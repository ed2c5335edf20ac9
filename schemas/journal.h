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
int journal_from_id(const char *id); /* -1 when unknown */

/* How grave what happened is: the words of REST for priorities of syslog, the gravest first. */
enum { JOURNAL_SEVERITIES = 5 };

extern const struct journal_severity {
	const char *id;
	int priority;
} journal_severity[JOURNAL_SEVERITIES];
int journal_priority(const char *severity); /* -1 when unknown */
