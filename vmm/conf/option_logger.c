/* SPDX-License-Identifier: Apache-2.0 */
/* Where messages go: `logger` of the board, `log` of one vdev. */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "vmm/conf/loggers.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/unknown.h"
#include "vmm/vdev/vdev.h"

static int find(const char *text, const char *const *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(text, word[i]))
			return (int)i;
	return -1;
}

/* The kinds of a list, one bit each; 0 with findings if one is none. */
static uint32_t filters_of(struct parse *p, const struct token *t, const char *const *kind)
{
	uint32_t filters = 0;
	bool is_right = true;

	for (const char *s = t->text; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
		char word[64] = "";
		size_t n = strcspn(s, ",");
		int f;

		if (n >= sizeof word)
			n = sizeof word - 1;
		memcpy(word, s, n);
		if (n == 0) {
			finding_hint(finding_error(p->findings, &t->at,
						   "a kind of message is missing in '%.64s'",
						   t->text),
				     "write the list without white space: %s,%s,%s",
				     kind[LOG_FILTER_FATAL], kind[LOG_FILTER_ERROR],
				     kind[LOG_FILTER_WARN]);
			return 0;
		}
		f = find(word, kind, LOG_FILTERS);
		if (f < 0)
			unknown_keyword(p, t, word, kind, LOG_FILTERS, "kind of message");
		else
			filters |= UINT32_C(1) << f;
		is_right &= f >= 0;
	}
	return is_right ? filters : 0;
}

/* t[1] and t[2] of either option. False with findings. */
static bool read_route(struct parse *p, const struct token *t, const char *const *kind,
		       uint32_t *ret_filters, enum log_dest *ret_dest)
{
	uint32_t filters = filters_of(p, &t[1], kind);
	int dest = find(t[2].text, loggers_dest_word, LOG_DESTS);

	if (dest < 0)
		unknown_keyword(p, &t[2], t[2].text, loggers_dest_word, LOG_DESTS,
				"destination of messages");
	if (!filters || dest < 0)
		return false;
	*ret_filters = filters;
	*ret_dest = (enum log_dest)dest;
	return true;
}

void option_logger(struct parse *p, const struct token *t)
{
	uint32_t filters;
	enum log_dest dest;

	if (read_route(p, t, loggers_filter_word, &filters, &dest))
		loggers_route(&p->draft->board->loggers, filters, dest);
}

void option_vdev_log(struct parse *p, const struct token *t)
{
	struct vdev *d = parse_vdev(p)->vdev;
	const char *kind[LOG_FILTERS];
	uint32_t filters;
	enum log_dest dest;

	memcpy(kind, loggers_filter_word, sizeof kind);
	kind[LOG_FILTER_WARN] = "warning"; /* its word here, as in the original */
	if (!read_route(p, t, kind, &filters, &dest))
		return;
	if (!d->loggers && !(d->loggers = calloc(1, sizeof *d->loggers)))
		abort();
	loggers_route(d->loggers, filters, dest);
}
