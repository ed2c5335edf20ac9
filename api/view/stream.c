/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "api/api.h"
#include "api/view/db.h"
#include "api/view/follower.h"
#include "api/http/http.h"
#include "api/view/object.h"
#include "api/http/request.h"
#include "api/view/view.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "schemas/cause.h"
#include "schemas/journal.h"

enum { BATCH = 32, STREAM_KINDS = 1024 };

struct stream {
	struct follower follower; /* comes first */
	int64_t next;		  /* sequence number to look for */
	int64_t left;		  /* records still to tell; INT64_MAX when it follows */
	bool is_sse, is_following;
	char vm[PARAM_VALUE], cause[PARAM_VALUE], scope[NAME_CAP];
	char kinds[STREAM_KINDS]; /* ",safe,restart,"; "" = all */
	int64_t from_ms;	  /* wall time of the oldest to tell */
	char *batch;		  /* text that is on its way */
	size_t n, sent;
};

/* What all who follow everything are told next is made once; it stays true, for events never change. */
struct shared {
	int64_t from,
		to; /* sequence numbers: the first that was looked for, the next to look for */
	char *text;
	size_t n;
};

enum { NDJSON, SSE, FORMATS };

struct streams {
	struct api *api;
	struct followers list;
	struct shared shared[FORMATS];
	int64_t newest; /* sequence number when all were woken last; INT64_MAX = not known */
};

struct streams *streams_new(struct api *api)
{
	struct streams *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->api = api;
	LIST_INIT(&s->list);
	s->newest = INT64_MAX;
	return s;
}

void streams_free(struct streams *s)
{
	for (unsigned i = 0; s && i < FORMATS; i++)
		free(s->shared[i].text);
	free(s);
}

static void on_freed(void *arg)
{
	struct stream *s = arg;

	follower_leave(&s->follower);
	free(s->batch);
	free(s);
}

static void write_record(const struct stream *s, FILE *f, json_t *take_record)
{
	AUTO_JSON json_t *record = take_record;
	AUTO_FREE char *line = json_dumps(record, JSON_COMPACT);
	const char *kind = json_string_value(json_object_get(record, "kind"));

	if (!line)
		abort();
	if (!s->is_sse) {
		fprintf(f, "%s\n", line);
		return;
	}
	/* `ready` has no id, so that it does not become the Last-Event-ID. */
	if (json_object_get(record, "at"))
		fprintf(f, "id: %" JSON_INTEGER_FORMAT "\n",
			json_integer_value(json_object_get(record, "seq")));
	fprintf(f, "event: %s\ndata: %s\n\n", kind, line);
}

static json_t *event_object(struct sqlite3_stmt *q)
{
	enum { SEQ, AT, KIND, VM, CAUSE, OPERATION, INCIDENT, REQUEST, TEXT };
	json_t *o = object_new();

	object_int(o, FIELD_event_seq, db_int(q, SEQ));
	object_word(o, FIELD_event_kind, db_text(q, KIND));
	object_time(o, FIELD_event_at, db_int(q, AT));
	object_text(o, FIELD_event_vm, db_text(q, VM));
	object_text(o, FIELD_event_text, db_text(q, TEXT));
	if (*db_text(q, CAUSE))
		object_word(o, FIELD_event_cause, db_text(q, CAUSE));
	if (db_int(q, OPERATION))
		object_int(o, FIELD_event_operation, db_int(q, OPERATION));
	if (db_int(q, INCIDENT))
		object_int(o, FIELD_event_incident, db_int(q, INCIDENT));
	if (*db_text(q, REQUEST))
		object_text(o, FIELD_event_request, db_text(q, REQUEST));
	return o;
}

static int bounds(struct db *d, int64_t *ret_oldest, int64_t *ret_newest, struct err *e)
{
	struct sqlite3_stmt *q = db_query(d, event_bounds);

	if (db_row(d, q, e) < 0)
		return -1;
	*ret_oldest = db_int(q, 0);
	*ret_newest = db_int(q, 1);
	db_leave(q);
	return 0;
}

/* Half of what is committed is no event, but the record of a request. */
void stream_wake(struct streams *all)
{
	int64_t oldest, newest;
	struct err e;

	if (bounds(all->api->db, &oldest, &newest, &e) < 0)
		newest = INT64_MAX;
	else if (newest == all->newest)
		return;
	all->newest = newest;
	followers_wake(&all->list);
}

/* Rows from s->next on into f. A filter that finds nothing still moves s->next to the end. */
static int read_rows(struct stream *s, FILE *f, struct err *e)
{
	struct db *d = s->follower.api->db;
	int64_t most = s->left < BATCH ? s->left : BATCH, oldest, newest, n = 0;
	AUTO_SNAPSHOT struct db_snapshot snapshot = {0};
	struct sqlite3_stmt *q;
	int got;

	if (db_begin(d, e) < 0)
		return -1;
	snapshot.db = d;
	if (bounds(d, &oldest, &newest, e) < 0)
		return -1;
	q = db_query(d, events, DB_INT(s->next), DB_INT(newest), DB_TEXT(s->vm), DB_TEXT(s->kinds),
		     DB_INT(most), DB_TEXT(s->scope), DB_TEXT(s->cause), DB_INT(s->from_ms));
	while ((got = db_row(d, q, e)) > 0) {
		s->next = db_int(q, 0) + 1;
		write_record(s, f, event_object(q));
		n++;
	}
	if (got < 0)
		return -1;
	if (n < most && s->next <= newest)
		s->next = newest + 1;
	if (!s->is_following)
		s->left -= n;
	return 0;
}

static int read_batch(struct stream *s, struct err *e)
{
	FILE *f = open_memstream(&s->batch, &s->n);
	int result;

	if (!f)
		abort();
	result = read_rows(s, f, e);
	if (fclose(f) != 0)
		abort();
	return result;
}

static char *copy(const char *text, size_t n)
{
	char *to = malloc(n);

	if (!to)
		abort();
	memcpy(to, text, n);
	return to;
}

static bool follows_everything(const struct stream *s)
{
	return s->is_following && !*s->vm && !*s->cause && !*s->scope && !*s->kinds && !s->from_ms;
}

/* The batch of one who follows everything: another one may just have had the same. */
static int share_batch(struct stream *s, struct shared *x, struct err *e)
{
	if (x->n && x->from == s->next) {
		s->batch = copy(x->text, x->n);
		s->n = x->n;
		s->next = x->to;
		return 0;
	}
	x->from = s->next;
	x->n = 0;
	free(TAKE(x->text));
	if (read_batch(s, e) < 0)
		return -1;
	if (s->n == 0)
		return 0;
	x->text = copy(s->batch, s->n);
	x->n = s->n;
	x->to = s->next;
	return 0;
}

/* The last word; of NDJSON, where all is records, the next answer has it. */
static void say_over(struct stream *s)
{
	FILE *f = open_memstream(&s->batch, &s->n);

	if (!f)
		abort();
	if (s->is_sse)
		fprintf(f, ": %s\n\n", s->follower.why);
	if (fclose(f) != 0)
		abort();
	s->left = 0;
	s->is_following = false;
}

static int fill(struct stream *s, struct err *e)
{
	struct streams *all = s->follower.api->streams;

	free(TAKE(s->batch));
	s->n = s->sent = 0;
	if (s->follower.is_over && s->left) {
		say_over(s);
		return 0;
	}
	if (s->left == 0 || (s->is_following && s->next > all->newest))
		return 0;
	if (follows_everything(s))
		return share_batch(s, &all->shared[s->is_sse ? SSE : NDJSON], e);
	return read_batch(s, e);
}

static ssize_t on_read(void *arg, uint64_t pos, char *to, size_t room)
{
	struct stream *s = arg;
	struct err e;
	size_t n;

	(void)pos;
	if (!s->follower.request || s->follower.request->is_gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (s->sent == s->n && fill(s, &e) < 0) {
		/* The status has been sent; all that can be said is that this is not the end. */
		log_error((&(struct log_about){.request = s->follower.request->id, .err = &e}),
			  "request %016" PRIx64 ": %s", s->follower.request->id, e.msg);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	n = s->n - s->sent < room ? s->n - s->sent : room;
	if (n == 0) {
		if (!s->is_following || http_is_closing(s->follower.api->http))
			return MHD_CONTENT_READER_END_OF_STREAM;
		request_suspend(s->follower.request);
		return 0;
	}
	memcpy(to, s->batch + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

/* The first record of a stream that goes on: where it begins. */
static void begin_with_ready(struct stream *s, int64_t oldest, int64_t newest)
{
	json_t *o = object_new();
	FILE *f = open_memstream(&s->batch, &s->n);

	if (!f)
		abort();
	object_int(o, FIELD_event_seq, s->next - 1);
	object_word(o, FIELD_event_kind, "ready");
	object_int(o, FIELD_event_newest, newest);
	object_int(o, FIELD_event_oldest, oldest);
	write_record(s, f, o);
	if (fclose(f) != 0)
		abort();
}

static bool wants_sse(const struct request *r)
{
	const char *accept = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Accept");

	return accept && strcasestr(accept, "text/event-stream") != NULL;
}

static int read_last(const struct request *r, int64_t *ret, struct err *e)
{
	const char *text = param_text(&r->params, PARAM_OF_event_list_last);
	size_t n = strlen(text);

	if (n > 18 || strspn(text, "0123456789") != n)
		return err_set(e, INVALID, "Last-Event-ID is '%s'; it must be a sequence number",
			       text);
	*ret = strtoll(text, NULL, 10);
	return 0;
}

static int no_such_kind(const char *kind, struct err *e)
{
	const char *near = journal_table[0].id;

	for (unsigned k = 0; k < JOURNAL_COUNT; k++)
		if (str_distance(kind, journal_table[k].id) < str_distance(kind, near))
			near = journal_table[k].id;
	return err_set(e, INVALID, "there is no kind of event '%s'; did you mean '%s'?", kind,
		       near);
}

static int find_kind(const char *kind, struct err *e)
{
	int k = journal_from_id(kind);

	return k < 0 ? no_such_kind(kind, e) : k;
}

static int read_severity(const char *word, int *ret, struct err *e)
{
	*ret = journal_priority(word);
	if (*ret >= 0)
		return 0;
	return err_set(e, INVALID,
		       "severity is '%s'; it must be crit, err, warning, notice or info", word);
}

/* A kind has its severity, so both are a list of kinds. */
static int read_kinds(const struct param_set *p, char kinds[static STREAM_KINDS], struct err *e)
{
	char text[PARAM_VALUE], *rest = text;
	bool is_wanted[JOURNAL_COUNT] = {false},
	     has_kind = param_is_set(p, PARAM_OF_event_list_kind);
	int severity = LOG_DEBUG;
	size_t n = 0;

	kinds[0] = '\0';
	if (!has_kind && !param_is_set(p, PARAM_OF_event_list_severity))
		return 0;
	str_copy(text, sizeof text, param_text(p, PARAM_OF_event_list_kind));
	for (char *word; has_kind && (word = strsep(&rest, ","));) {
		int k = find_kind(word, e);

		if (k < 0)
			return -1;
		is_wanted[k] = true;
	}
	if (param_is_set(p, PARAM_OF_event_list_severity) &&
	    read_severity(param_text(p, PARAM_OF_event_list_severity), &severity, e) < 0)
		return -1;
	str_add(kinds, STREAM_KINDS, &n, ",");
	for (unsigned k = 0; k < JOURNAL_COUNT; k++)
		if ((is_wanted[k] || !has_kind) && journal_table[k].priority <= severity)
			str_add(kinds, STREAM_KINDS, &n, "%s,", journal_table[k].id);
	return 0;
}

static int read_filter(const struct request *r, struct stream *s, struct err *e)
{
	const struct param_set *p = &r->params;
	const char *cause = param_text(p, PARAM_OF_event_list_cause);
	int64_t age_ms = param_number(p, PARAM_OF_event_list_age);

	if (read_kinds(p, s->kinds, e) < 0)
		return -1;
	if (*cause && cause_from_id(cause) == CAUSE_NONE)
		return err_set(
			e, INVALID,
			"there is no cause '%s'; the schema of a VM in /v1/openapi.json lists "
			"them",
			cause);
	str_copy(s->vm, sizeof s->vm, param_text(p, PARAM_OF_event_list_vm));
	str_copy(s->cause, sizeof s->cause, cause);
	str_copy(s->scope, sizeof s->scope, r->grant.scope);
	s->from_ms = age_ms >= 0 ? clock_wall_ms() - age_ms : 0;
	return 0;
}

/* Of those that fit, the newest n: where they begin. */
static int find_tail(struct stream *s, struct db *d, int64_t newest, int64_t n, struct err *e)
{
	struct sqlite3_stmt *q;
	int got;

	q = db_query(d, event_tail, DB_INT(s->next), DB_INT(newest), DB_TEXT(s->vm),
		     DB_TEXT(s->kinds), DB_INT(n), DB_TEXT(s->scope), DB_TEXT(s->cause),
		     DB_INT(s->from_ms));
	got = db_row(d, q, e);
	if (got < 0)
		return -1;
	s->next = got && db_int(q, 0) ? db_int(q, 0) : newest + 1;
	db_leave(q);
	return 0;
}

/* The first that may be told. */
static int find_first(struct stream *s, const struct request *r, int64_t newest, struct err *e)
{
	const struct param_set *p = &r->params;
	int64_t since = param_number(p, PARAM_OF_event_list_since), last = 0;
	bool has_tail = param_is_set(p, PARAM_OF_event_list_tail);

	if (read_last(r, &last, e) < 0)
		return -1;
	if (param_is_set(p, PARAM_OF_event_list_last)) {
		s->next = last + 1;
		return 0;
	}
	if (since < 0)
		since = s->is_following && !s->from_ms && !has_tail ? newest + 1 : 0;
	s->next = since ? since : 1;
	return has_tail ? find_tail(s, r->api->db, newest,
				    param_number(p, PARAM_OF_event_list_tail), e)
			: 0;
}

int view_event_list(struct request *r, struct err *e)
{
	const struct param_set *p = &r->params;
	bool is_sse = wants_sse(r);
	bool is_following = !r->is_head && (is_sse || param_number(p, PARAM_OF_event_list_follow));
	int64_t oldest, newest;
	AUTO_FREE struct stream *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	if (http_may_hold(r->api->http, e) < 0 || bounds(r->api->db, &oldest, &newest, e) < 0 ||
	    read_filter(r, s, e) < 0)
		return -1;
	s->left = is_following ? INT64_MAX : param_number(p, PARAM_OF_event_list_limit);
	s->is_sse = is_sse;
	s->is_following = is_following;
	if (find_first(s, r, newest, e) < 0)
		return -1;
	follower_join(&s->follower, &r->api->streams->list, r);
	if (is_following) {
		begin_with_ready(s, oldest, newest);
	} else if (fill(s, e) < 0) { /* while there is still a status to say it by */
		follower_leave(&s->follower);
		free(s->batch);
		return -1;
	}
	request_answer_stream(r, is_sse ? "text/event-stream" : "application/x-ndjson", on_read,
			      on_freed, TAKE(s));
	return 0;
}
