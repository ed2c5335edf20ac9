/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/loggers.h"

#include <stddef.h>

const char *const loggers_filter_word[] = {
	[LOG_FILTER_FATAL] = "fatal",	  [LOG_FILTER_INTERNAL] = "internal",
	[LOG_FILTER_ERROR] = "error",	  [LOG_FILTER_WARN] = "warn",
	[LOG_FILTER_INFO] = "info",	  [LOG_FILTER_DEBUG] = "debug",
	[LOG_FILTER_VERBOSE] = "verbose",
};

const char *const loggers_dest_word[] = {
	[LOG_DEST_STDOUT] = "stdout",
	[LOG_DEST_STDERR] = "stderr",
	[LOG_DEST_SLOG] = "slog",
	[LOG_DEST_NONE] = "none",
};

void loggers_route(struct loggers *l, uint32_t filters, enum log_dest dest)
{
	unsigned own = l->n;

	for (unsigned i = 0; i < l->n; i++)
		if (l->to[i].dest == dest)
			own = i;
		else if (dest == LOG_DEST_NONE || l->to[i].dest == LOG_DEST_NONE)
			l->to[i].filters &= ~filters;
	if (own == l->n) { /* one for each destination: there is always room */
		l->to[own].dest = dest;
		l->to[own].filters = 0;
		l->n++;
	}
	l->to[own].filters |= filters;
}

bool loggers_have(const struct loggers *l, enum log_filter filter)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->to[i].filters >> filter & 1)
			return true;
	return false;
}

bool loggers_name(const struct loggers *l, enum log_dest dest)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->to[i].dest == dest)
			return true;
	return false;
}
