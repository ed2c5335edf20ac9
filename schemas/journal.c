/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/journal.h"

#include <syslog.h>

const struct journal_kind journal_table[JOURNAL_COUNT] = {
#define JOURNAL(sym, id, message_id, priority, what)                                               \
	[JOURNAL_##sym] = {id, message_id, what, priority},
#include "schemas/journal.def"
#undef JOURNAL
};
