/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/event.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/store/incident.h"
#include "daemon/store/store.h"

enum { EVENT_KEPT = 100000 };

struct event event_make(enum journal kind, const char *vm, const char *fmt, ...)
{
	struct event ev = {.kind = kind, .at_ms = clock_wall_ms(), .syscall = -1};
	va_list ap;

	str_copy(ev.vm, sizeof ev.vm, vm);
	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof ev.text, fmt, ap);
	va_end(ap);
	return ev;
}

void event_log(const struct event *ev)
{
	const struct journal_kind *k = &journal_table[ev->kind];
	char signal[24], call[48];
	struct log_about about = {.vm = ev->vm[0] ? ev->vm : NULL,
				  .event = k->id,
				  .cause = ev->cause != CAUSE_NONE ? cause_id(ev->cause) : NULL,
				  .incident = ev->incident,
				  .generation = ev->generation,
				  .signal = incident_signal(ev->signal, signal),
				  .syscall = incident_syscall(ev->syscall, call),
				  .message_id = k->message_id,
				  .request = ev->request};

	log_at(k->priority, __FILE__, __LINE__, &about, "%s", ev->text);
}

int event_write(struct store *s, const struct event *ev, int64_t seq, struct err *e)
{
	char request[24] = "";

	if (ev->request)
		snprintf(request, sizeof request, "%016" PRIx64, ev->request);
	return STORE_RUN(
		s, e,
		"INSERT INTO event (seq, at_ms, kind, vm, cause, operation, incident, request, "
		"text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		STORE_INT(seq), STORE_INT(ev->at_ms), STORE_TEXT(journal_table[ev->kind].id),
		STORE_TEXT(ev->vm), STORE_TEXT(ev->cause != CAUSE_NONE ? cause_id(ev->cause) : ""),
		STORE_INT(ev->operation), STORE_INT(ev->incident), STORE_TEXT(request),
		STORE_TEXT(ev->text));
}

int event_newest(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s, "SELECT seq FROM event ORDER BY seq DESC LIMIT 1", NULL, 0, 0, ret,
			    e);
}

int event_prune(struct store *s, int64_t newest, struct err *e)
{
	return STORE_RUN(s, e, "DELETE FROM event WHERE seq <= ?", STORE_INT(newest - EVENT_KEPT));
}

int event_restarts(struct store *s, const char *vm,
		   void (*each)(void *arg, enum cause cause, int64_t at_ms), void *arg,
		   struct err *e)
{
	const struct store_value key = STORE_TEXT(vm);
	struct sqlite3_stmt *q;
	int r;

	if (store_query(s,
			"SELECT cause, at_ms FROM event WHERE vm = ?1 AND kind = 'restart' AND "
			"seq > (SELECT coalesce(max(seq), 0) FROM event "
			"WHERE vm = ?1 AND (kind = 'starting' AND operation <> 0 "
			"OR kind = 'budget-reset')) ORDER BY seq",
			&key, 1, &q, e) < 0)
		return -1;
	while ((r = store_row(s, q, e)) == 1)
		each(arg, cause_from_id(store_text(q, 0)), store_int(q, 1));
	return r;
}
