/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "client/show/again.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/term.h"
#include "schemas/journal.h"

/* LIMIT: of events in one answer that does not follow; the server's own limit too. */
enum { LIMIT = 100000 };

struct stream {
	const struct event_query *q;
	char *line; /* of the record that is coming in; EVENT_RECORD bytes */
	size_t n;
	int64_t next;	    /* sequence number to ask for after a loss; -1 = none known */
	unsigned n_records; /* of this connection */
	bool is_begun;	    /* a record has come: `next` is enough */
	bool is_over;	    /* the sink has had enough */
	struct err err;
};

static bool take_record(struct stream *s, const char *line, size_t n)
{
	AUTO_JSON json_t *event = NULL;
	int64_t seq;

	if (n == 0)
		return true; /* an empty line keeps the connection alive */
	if (field_parse(line, n, &event, &s->err) < 0)
		return false;
	s->n_records++;
	s->is_begun = true;
	seq = field_number(event, "seq", 0);
	if (seq > 0 && seq < INT64_MAX)
		s->next = seq + 1;
	s->is_over = !s->q->sink(s->q->arg, line, n, event);
	return !s->is_over;
}

static bool on_bytes(void *arg, const char *bytes, size_t n)
{
	struct stream *s = arg;

	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t run = end ? (size_t)(end - bytes) : n;

		if (run > EVENT_RECORD - s->n) {
			err_set(&s->err, NO_SERVER, "an event is longer than %d KiB",
				EVENT_RECORD / 1024);
			return false;
		}
		memcpy(s->line + s->n, bytes, run);
		s->n += run;
		bytes += run;
		n -= run;
		if (!end)
			break;
		bytes++;
		n--;
		run = s->n;
		s->n = 0;
		if (!take_record(s, s->line, run))
			return false;
	}
	return true;
}

static void write_query(const struct stream *s, char *query, size_t cap)
{
	size_t len = 0;

	str_add(query, cap, &len, s->q->follow ? "follow=1" : "limit=%d", LIMIT);
	if (s->next >= 0)
		str_add(query, cap, &len, "&since=%" PRId64, s->next);
	if (s->q->tail >= 0 && !s->is_begun)
		str_add(query, cap, &len, "&tail=%" PRId64, s->q->tail);
	if (s->q->filter)
		str_add(query, cap, &len, "%s", s->q->filter);
}

/* One connection. 1 = it ended by itself, 0 = the sink has had enough, -1 = an error or refusal. */
static int connect_once(struct http *h, struct stream *s, struct http_response *ret_refusal,
			struct err *e)
{
	AUTO_RESPONSE struct http_response r = {0};
	char query[EVENT_FILTER + 64];
	struct http_request request = {
		.op = OP_event_list,
		.query = query,
		.accept = "application/x-ndjson",
		.timeout_ms = -1,
		.ends_unread = s->q->ends_unread,
		.sink = on_bytes,
		.sink_arg = s,
	};

	write_query(s, query, sizeof query);
	if (s->q->deadline_ms) {
		request.timeout_ms = s->q->deadline_ms - (int64_t)clock_mono_ms();
		if (request.timeout_ms <= 0)
			return err_set(e, TIMEOUT, "the time is over");
	}
	s->n = 0;
	s->n_records = 0;
	if (http_call(h, &request, &r, e) < 0)
		return -1;
	if (s->err.code) {
		*e = s->err;
		return -1;
	}
	if (!r.is_stopped && !http_is_success(&r)) {
		*ret_refusal = r;
		r = (struct http_response){0};
		*e = (struct err){0};
		return -1;
	}
	return !s->is_over && !r.is_stopped;
}

static void sleep_ms(int64_t ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

int event_read(struct http *h, const struct event_query *q, struct http_response *ret_refusal,
	       struct err *e)
{
	struct stream s = {.q = q, .next = q->since, .line = malloc(EVENT_RECORD)};
	AUTO_FREE char *line = s.line;
	struct again again = {0};
	int64_t pause_ms;
	int result;

	if (!line)
		abort();
	for (;;) {
		result = connect_once(h, &s, ret_refusal, e);
		if (result < 0 && !(q->follow && s.is_begun && again_may(e, ret_refusal->status)))
			return -1;
		if (result == 0 || (!q->follow && s.n_records < LIMIT))
			return 0;
		if (!q->follow)
			continue;
		if (!s.is_begun)
			return err_set(e, NO_SERVER, "'%s' answers without events; is it a qvmd?",
				       http_host(h));
		http_response_free(ret_refusal);
		if (s.n_records)
			again_forget(&again);
		again_tell(&again, "event stream", http_host(h));
		pause_ms = again_pause(&again);
		if (q->ends_unread && term_is_unread(stdout, pause_ms))
			return 0;
		if (!q->ends_unread)
			sleep_ms(pause_ms);
	}
}

bool event_is_beginning(const json_t *event)
{
	return !strcmp(field_text(event, "kind"), "ready") && !*field_text(event, "at");
}

static enum term_style style_of(const char *kind)
{
	int k = journal_from_id(kind);

	if (k < 0)
		return TERM_PLAIN;
	if (journal_table[k].priority <= LOG_ERR)
		return TERM_BAD;
	if (journal_table[k].priority == LOG_WARNING)
		return TERM_BUSY;
	return k == JOURNAL_STARTED || k == JOURNAL_HEALTHY ? TERM_GOOD : TERM_PLAIN;
}

void event_print(const json_t *event)
{
	const char *kind = field_text(event, "kind"), *vm = field_text(event, "vm");
	enum term_style style = style_of(kind);
	char at[AGE_TEXT];

	printf("%s%s%s  %s%-15s%s  %s%s%s\n", term_on(stdout, TERM_DIM),
	       age_local(field_text(event, "at"), at), term_off(stdout, TERM_DIM),
	       term_on(stdout, style), kind, term_off(stdout, style), vm, *vm ? ": " : "",
	       field_text(event, "text"));
}
