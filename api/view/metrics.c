/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c - GET /metrics: the table metrics.def in Prometheus' text format, from the database, the
 * black boxes and this process's own counts. One function a row; all samples of a row stand together.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/http/http.h"
#include "api/http/request.h"
#include "api/supervisor.h"
#include "api/view/boxes.h"
#include "api/view/db.h"
#include "api/view/usage.h"
#include "api/view/view.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "schemas/exit_reason.h"
#include "schemas/resource.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define LOAD(x)	     atomic_load_explicit(&(x), memory_order_relaxed)

struct sample {
	char vm[NAME_CAP], desired[12], observed[12], health[12], cause[24];
	int64_t generation, restarts, since_ms, pid, incidents;
	const struct boxes_entry *box; /* of its present or last worker; NULL = none */
};

struct scrape {
	FILE *out;
	const char *name; /* of the metric in hand */
	struct api *api;
	struct sample *vm; /* by name */
	size_t n, room;
	int64_t newest; /* event */
	uint64_t now_ns;
};

/* A label's value; what a worker wrote may be anything. */
static void label(FILE *out, const char *name, const char *value, size_t cap)
{
	fprintf(out, "%s=\"", name);
	for (size_t i = 0; i < cap && value[i]; i++) {
		char c = value[i];

		putc(c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c, out);
	}
	putc('"', out);
}

/* The head of a sample of one VM, its braces still open. */
static void begin(const struct scrape *s, const struct sample *v)
{
	fprintf(s->out, "%s{", s->name);
	label(s->out, "vm", v->vm, sizeof v->vm);
}

static void vm_number(const struct scrape *s, const struct sample *v, int64_t n)
{
	begin(s, v);
	fprintf(s->out, "} %" PRId64 "\n", n);
}

static void vm_seconds(const struct scrape *s, const struct sample *v, uint64_t ms)
{
	begin(s, v);
	fprintf(s->out, "} %" PRIu64 ".%03u\n", ms / 1000, (unsigned)(ms % 1000));
}

static void metric_build(const struct scrape *s)
{
	fprintf(s->out, "%s{version=\"%s\"} 1\n", s->name, QVM_VERSION);
}

static void metric_supervisor(const struct scrape *s)
{
	fprintf(s->out, "%s %d\n", s->name, supervisor_is_there(s->api->supervisor) ? 1 : 0);
}

static void metric_vms(const struct scrape *s)
{
	const char *word;

	for (unsigned i = 0; (word = resource_word("observed", i)); i++) {
		size_t n = 0;

		for (size_t j = 0; j < s->n; j++)
			n += !strcmp(s->vm[j].observed, word);
		fprintf(s->out, "%s{observed=\"%s\"} %zu\n", s->name, word, n);
	}
}

static void metric_event(const struct scrape *s)
{
	fprintf(s->out, "%s %" PRId64 "\n", s->name, s->newest);
}

static void metric_state(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sample *v = &s->vm[i];

		begin(s, v);
		fprintf(s->out, ",desired=\"%s\",observed=\"%s\",health=\"%s\",cause=\"%s\"} 1\n",
			v->desired, v->observed, v->health, v->cause);
	}
}

static void metric_up(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		vm_number(s, &s->vm[i], !strcmp(s->vm[i].observed, "running"));
}

static void metric_since(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		vm_seconds(s, &s->vm[i], (uint64_t)s->vm[i].since_ms);
}

static void metric_starts(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		vm_number(s, &s->vm[i], s->vm[i].generation);
}

static void metric_restarts(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		vm_number(s, &s->vm[i], s->vm[i].restarts);
}

static void metric_incidents(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		vm_number(s, &s->vm[i], s->vm[i].incidents);
}

/* The black box of a worker that lives; time in that of a dead one stands still. */
static const struct blackbox *living(const struct sample *v)
{
	return v->box && v->pid ? v->box->map.box : NULL;
}

static uint64_t ago_ms(const struct scrape *s, uint64_t at_ns)
{
	return at_ns < s->now_ns ? (s->now_ns - at_ns) / 1000000 : 0;
}

static void metric_heartbeat(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct blackbox *b = living(&s->vm[i]);
		uint64_t at_ns = b ? LOAD(b->heartbeat_ns) : 0;

		if (at_ns)
			vm_seconds(s, &s->vm[i], ago_ms(s, at_ns));
	}
}

static void metric_uptime(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct blackbox *b = living(&s->vm[i]);
		uint64_t at_ns = b ? LOAD(b->started_ns) : 0;

		if (at_ns)
			vm_seconds(s, &s->vm[i], ago_ms(s, at_ns));
	}
}

/* Several numbers share the name "other": added up, for a series may stand here once. */
static void exits_of(const struct scrape *s, const struct sample *v)
{
	const struct blackbox_map *m = &v->box->map;
	uint64_t sum[BLACKBOX_REASONS] = {0}, other = 0;

	for (uint32_t cpu = 0; cpu < m->n_vcpus; cpu++)
		for (unsigned i = 0; i < BLACKBOX_REASONS; i++)
			sum[i] += LOAD(m->vcpu[cpu].exits[i]);
	for (unsigned i = 0; i < BLACKBOX_REASONS; i++) {
		const char *reason = exit_reason_id(i);

		if (!strcmp(reason, "other")) {
			other += sum[i];
		} else if (sum[i]) {
			begin(s, v);
			fprintf(s->out, ",reason=\"%s\"} %" PRIu64 "\n", reason, sum[i]);
		}
	}
	if (other) {
		begin(s, v);
		fprintf(s->out, ",reason=\"other\"} %" PRIu64 "\n", other);
	}
}

static void metric_exits(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->vm[i].box)
			exits_of(s, &s->vm[i]);
}

static void metric_cpu(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++) {
		int64_t ms = usage_cpu_ms(s->vm[i].pid);

		if (ms >= 0)
			vm_seconds(s, &s->vm[i], (uint64_t)ms);
	}
}

static void metric_memory(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->vm[i].pid && s->vm[i].box)
			vm_number(s, &s->vm[i],
				  (int64_t)LOAD(s->vm[i].box->map.box->ram_pages) * BLACKBOX_PAGE);
}

static void metric_console(const struct scrape *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->vm[i].box) {
			begin(s, &s->vm[i]);
			fprintf(s->out, "} %" PRIu64 "\n",
				LOAD(s->vm[i].box->map.box->console_head));
		}
}

/* One sample of a vdev; `more` is a further label with its comma, or "". Two vdevs may have one name:
 * the number tells them apart, as in the status. */
static void vdev_number(const struct scrape *s, const struct sample *v, uint32_t i,
			const char *more, uint64_t n)
{
	const struct blackbox_vdev *d = &v->box->map.vdev[i];
	char name[sizeof d->name];

	memcpy(name, d->name, sizeof name);
	begin(s, v);
	fprintf(s->out, ",vdev=\"%u\",", i);
	label(s->out, "name", name, sizeof name);
	fprintf(s->out, "%s} %" PRIu64 "\n", more, n);
}

#define EACH_VDEV(s, v, i)                                                                         \
	for (const struct sample *v = (s)->vm; v < (s)->vm + (s)->n; v++)                          \
		for (uint32_t i = 0; i < (v->box ? v->box->map.n_vdevs : 0); i++)

static void metric_accesses(const struct scrape *s)
{
	EACH_VDEV(s, v, i)
	{
		vdev_number(s, v, i, ",access=\"read\"", LOAD(v->box->map.vdev[i].reads));
		vdev_number(s, v, i, ",access=\"write\"", LOAD(v->box->map.vdev[i].writes));
	}
}

static void metric_interrupts(const struct scrape *s)
{
	EACH_VDEV(s, v, i)
	vdev_number(s, v, i, "", LOAD(v->box->map.vdev[i].interrupts));
}

static void metric_bytes(const struct scrape *s)
{
	EACH_VDEV(s, v, i)
	{
		vdev_number(s, v, i, ",direction=\"in\"", LOAD(v->box->map.vdev[i].bytes_in));
		vdev_number(s, v, i, ",direction=\"out\"", LOAD(v->box->map.vdev[i].bytes_out));
	}
}

static void metric_errors(const struct scrape *s)
{
	EACH_VDEV(s, v, i)
	vdev_number(s, v, i, "", LOAD(v->box->map.vdev[i].errors));
}

static void metric_drops(const struct scrape *s)
{
	EACH_VDEV(s, v, i)
	vdev_number(s, v, i, "", LOAD(v->box->map.vdev[i].drops));
}

static void metric_connections(const struct scrape *s)
{
	fprintf(s->out, "%s %u\n", s->name, http_n_held(s->api->http));
}

static void histogram(const struct scrape *s, const char *op, const struct tally_op *t)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
		sum += t->bucket[i];
		fprintf(s->out, "%s_bucket{operation=\"%s\",le=\"%g\"} %" PRIu64 "\n", s->name, op,
			(double)tally_bound_us[i] / 1e6, sum);
	}
	fprintf(s->out, "%s_bucket{operation=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", s->name, op, t->n);
	fprintf(s->out, "%s_sum{operation=\"%s\"} %" PRIu64 ".%06u\n", s->name, op,
		t->sum_us / 1000000, (unsigned)(t->sum_us % 1000000));
	fprintf(s->out, "%s_count{operation=\"%s\"} %" PRIu64 "\n", s->name, op, t->n);
}

static void metric_requests(const struct scrape *s)
{
	for (unsigned i = 0; i < OP_COUNT; i++)
		if (s->api->tally.op[i].n)
			histogram(s, op_table[i].id, &s->api->tally.op[i]);
}

static void metric_hung_up(const struct scrape *s)
{
	fprintf(s->out, "%s{reason=\"late\"} %" PRIu64 "\n%s{reason=\"crowd\"} %" PRIu64 "\n",
		s->name, s->api->tally.n_late, s->name, s->api->tally.n_crowd);
}

static void metric_over(const struct scrape *s)
{
	const struct tally *t = &s->api->tally;

	fprintf(s->out,
		"%s{reason=\"identity\"} %" PRIu64 "\n%s{reason=\"peer\"} %" PRIu64
		"\n%s{reason=\"answers\"} %" PRIu64 "\n",
		s->name, t->n_over_identity, s->name, t->n_over_peer, s->name, t->n_over_answers);
}

static void metric_refusals(const struct scrape *s)
{
	for (unsigned i = 0; i < TALLY_STATUSES; i++)
		if (s->api->tally.problem[i])
			fprintf(s->out, "%s{status=\"%u\"} %" PRIu64 "\n", s->name,
				TALLY_STATUS_FIRST + i, s->api->tally.problem[i]);
}

static const struct metric {
	const char *name, *type, *what;
	void (*print)(const struct scrape *s);
} metrics[] = {
#define GAUGE				 "gauge"
#define COUNTER				 "counter"
#define HISTOGRAM			 "histogram"
#define METRIC(symbol, name, type, what) {name, type, what, metric_##symbol},
#include "schemas/metrics.def"
#undef METRIC
};

static void add_row(struct scrape *s, struct sqlite3_stmt *q)
{
	struct sample *v;

	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->vm = realloc(s->vm, s->room * sizeof *s->vm);
		if (!s->vm)
			abort();
	}
	v = &s->vm[s->n++];
	*v = (struct sample){.generation = db_int(q, 5),
			     .restarts = db_int(q, 6),
			     .since_ms = db_int(q, 7),
			     .pid = db_int(q, 8),
			     .incidents = db_int(q, 9)};
	str_copy(v->vm, sizeof v->vm, db_text(q, 0));
	str_copy(v->desired, sizeof v->desired, db_text(q, 1));
	str_copy(v->observed, sizeof v->observed, db_text(q, 2));
	str_copy(v->health, sizeof v->health, db_text(q, 3));
	str_copy(v->cause, sizeof v->cause, db_text(q, 4));
	v->box = boxes_find(s->api->boxes, v->vm);
}

static int read_rows(struct scrape *s, const char *scope, struct err *e)
{
	struct db *d = s->api->db;
	AUTO_SNAPSHOT struct db_snapshot snapshot = {0};
	struct sqlite3_stmt *q;
	int got;

	if (db_begin(d, e) < 0)
		return -1;
	snapshot.db = d;
	q = db_query(d, metrics, DB_TEXT(scope));
	while ((got = db_row(d, q, e)) > 0)
		add_row(s, q);
	if (got < 0)
		return -1;
	q = db_query(d, event_bounds);
	got = db_row(d, q, e);
	if (got <= 0)
		return got;
	s->newest = db_int(q, 1);
	db_leave(q);
	return 0;
}

int view_metrics(struct request *r, struct err *e)
{
	struct scrape s = {.api = r->api, .now_ns = clock_mono_ns()};
	AUTO_FREE char *text = NULL;
	size_t bytes = 0;

	if (read_rows(&s, r->grant.scope, e) < 0) {
		free(s.vm);
		return -1;
	}
	s.out = open_memstream(&text, &bytes);
	if (!s.out)
		abort();
	for (size_t i = 0; i < NELEMS(metrics); i++) {
		s.name = metrics[i].name;
		fprintf(s.out, "# HELP %s %s\n# TYPE %s %s\n", s.name, metrics[i].what, s.name,
			metrics[i].type);
		metrics[i].print(&s);
	}
	if (fclose(s.out) != 0)
		abort(); /* out of memory: crash-only */
	free(s.vm);
	request_answer_bytes(r, 200, METRICS_TYPE, text, bytes);
	return 0;
}
