/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/journal.h"

#include <string.h>
#include <syslog.h>

const struct journal_kind journal_table[JOURNAL_COUNT] = {
#define JOURNAL(sym, id, message_id, priority, what)                                               \
	[JOURNAL_##sym] = {id, message_id, what, priority},
#include "schemas/journal.def"
#undef JOURNAL
};

const struct journal_severity journal_severity[JOURNAL_SEVERITIES] = {{"crit", LOG_CRIT},
								      {"err", LOG_ERR},
								      {"warning", LOG_WARNING},
								      {"notice", LOG_NOTICE},
								      {"info", LOG_INFO}};

int journal_from_id(const char *id)
{
	for (int k = 0; k < JOURNAL_COUNT; k++)
		if (!strcmp(journal_table[k].id, id))
			return k;
	return -1;
}

int journal_priority(const char *severity)
{
	for (unsigned i = 0; i < JOURNAL_SEVERITIES; i++)
		if (!strcmp(journal_severity[i].id, severity))
			return journal_severity[i].priority;
	return -1;
}
