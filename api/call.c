/* SPDX-License-Identifier: Apache-2.0 */
#include "api/call.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#include "api/api.h"
#include "api/view/dump.h"
#include "api/view/finding.h"
#include "api/http/http.h"
#include "api/http/match.h"
#include "api/view/object.h"
#include "api/view/operation.h"
#include "api/http/request.h"
#include "api/supervisor.h"
#include "api/view/token.h"
#include "api/view/vm.h"
#include "api/writer.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/sealed.h"
#include "base/str.h"

struct call {
	LIST_ENTRY(call) link;
	struct request *request;
	json_t *diagnostics, *wants;
	uint32_t n_wants;
	int file; /* -1 = none came */
};

struct calls {
	LIST_HEAD(call_list, call) list;
	unsigned n;
};

struct calls *calls_new(void)
{
	struct calls *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	LIST_INIT(&c->list);
	return c;
}

void calls_free(struct calls *c)
{
	free(c);
}

static struct call *find(struct calls *c, uint64_t request)
{
	struct call *x;

	for (x = LIST_FIRST(&c->list); x; x = LIST_NEXT(x, link))
		if (x->request->id == request)
			return x;
	return NULL;
}

int call_is_new(struct calls *c, uint64_t request, struct err *e)
{
	if (!find(c, request))
		return 0;
	return err_set(e, CONFLICT,
		       "a request with the Request-Id %016" PRIx64
		       " is being answered; wait for it, or use a new one",
		       request);
}

static void drop(struct calls *c, struct call *x)
{
	x->request->holder = (struct request_holder){0};
	request_clear_deadline(x->request);
	LIST_REMOVE(x, link);
	c->n--;
	http_held(x->request->api->http, -1);
	json_decref(x->diagnostics);
	json_decref(x->wants);
	if (x->file >= 0)
		close(x->file);
	free(x);
}

/* The client has gone; the supervisor's answer will find nobody. */
static void on_forget(struct request *r, void *arg)
{
	drop(r->api->calls, arg);
}

static void fail(struct calls *c, struct call *x, const struct err *why)
{
	struct request *r = x->request;

	drop(c, x);
	request_answer_problem(r, why, NULL);
	request_resume(r);
}

static int on_deadline(sd_event_source *s, uint64_t at_us, void *arg)
{
	struct request *r = arg;
	struct err e;

	(void)s;
	(void)at_us;
	err_set(&e, TIMEOUT, "%s: the supervisor has not answered within %d s",
		op_table[r->route.op].id, CALL_PATIENCE_MS / 1000);
	fail(r->api->calls, r->holder.arg, &e);
	return 0;
}

static void hold(struct request *r)
{
	struct call *x = calloc(1, sizeof *x);

	if (!x)
		abort();
	*x = (struct call){
		.request = r, .diagnostics = object_list(), .wants = object_list(), .file = -1};
	LIST_INSERT_HEAD(&r->api->calls->list, x, link);
	r->api->calls->n++;
	http_held(r->api->http, 1);
	r->holder = (struct request_holder){on_forget, x};
	request_suspend(r);
	request_set_deadline(r, clock_mono_ms() + CALL_PATIENCE_MS, on_deadline);
}

/* A body by its fields: what fits goes in the message, a configuration beside it. A refusal is answered
 * here, with its pointer. */
static int send_body(struct request *r, struct msg_call *m, struct err *e)
{
	struct body b;
	AUTO_FD int fd = -1;
	int result = 0;

	if (body_parse(r->route.op, r->body_bytes ? r->body_type : BODY_JSON, r->body,
		       r->body_bytes, &b, e) < 0) {
		request_answer_problem(r, e, &(struct problem_more){.pointer = b.pointer});
		return 0;
	}
	m->token = b.token;
	m->policy_fields = b.policy_fields;
	if (b.policy_fields)
		m->policy = b.policy;
	memcpy(m->folder, b.folder, sizeof m->folder);
	if (b.config) {
		/* Nobody can change it any more on its way. */
		fd = sealed_text("qvmconf", b.config, b.config_bytes);
		if (fd < 0)
			result = err_sys(e, INTERNAL, "seal a configuration of %zu bytes",
					 b.config_bytes);
	}
	body_free(&b);
	if (result < 0 || supervisor_call(r->api->supervisor, r->id, m, fd, e) < 0)
		return -1;
	hold(r);
	return 0;
}

static int send_plain(struct request *r, struct msg_call *m, struct err *e)
{
	struct writer who = {0};

	if (!strcmp(op_table[r->route.op].in, "text")) {
		if (r->body_bytes == 0)
			return err_set(e, INVALID, "there is nothing to type: the body is empty");
		writer_name(&r->caller, who.name);
		if (writer_take(r->api->writers, request_vm(r), &who,
				param_number(&r->params, PARAM_OF_vm_type_force), clock_mono_ms(),
				e) < 0)
			return -1;
		m->n_input = (uint32_t)r->body_bytes; /* http.c has refused more */
		memcpy(m->input, r->body, r->body_bytes);
	}
	if (supervisor_call(r->api->supervisor, r->id, m, -1, e) < 0)
		return -1;
	hold(r);
	return 0;
}

int call_forward(struct request *r, struct err *e)
{
	const char *in = op_table[r->route.op].in;
	struct msg_call m = {.op = r->route.op, .caller = r->caller, .policy = policy_default()};

	if (r->api->calls->n >= CALL_MOST)
		return err_set(e, LIMIT,
			       "the supervisor has %d calls to answer, which is the limit",
			       CALL_MOST);
	if (http_may_hold(r->api->http, e) < 0 || match_of(r, &m.if_match, e) < 0)
		return -1;
	if (r->route.id == 0)
		str_copy(m.vm, sizeof m.vm, request_vm(r));
	str_copy(m.dump, sizeof m.dump, r->route.dump);
	if (r->route.op == OP_vm_rollback)
		m.revision = param_number(&r->params, PARAM_OF_vm_rollback_to);
	return !strcmp(in, "none") || !strcmp(in, "text") ? send_plain(r, &m, e)
							  : send_body(r, &m, e);
}

void call_finding(struct calls *c, uint64_t request, const struct diagnostic *d)
{
	struct call *x = find(c, request);

	if (x && json_array_size(x->diagnostics) < DIAGNOSTIC_MOST)
		object_append(x->diagnostics, finding_make(d));
}

int call_want(struct calls *c, uint64_t request, const struct msg_want *w, struct err *e)
{
	struct call *x = find(c, request);

	if (!x)
		return 0;
	if (message_check_want(w, x->n_wants, e) < 0)
		return -1;
	x->n_wants++;
	object_append(x->wants, finding_want(w));
	return 0;
}

void call_file(struct calls *c, uint64_t request, int take_fd)
{
	struct call *x = find(c, request);

	if (!x || x->file >= 0)
		close(take_fd);
	else
		x->file = take_fd;
}

static void answer_check(struct request *r, struct call *x, const struct msg_answer *a)
{
	json_t *o = object_new();

	object_bool(o, FIELD_check_valid, a->err.code == ERR_OK);
	object_take(o, FIELD_check_diagnostics, json_incref(x->diagnostics));
	object_int(o, FIELD_check_more, a->n_findings_more);
	if (a->err.code == ERR_OK)
		object_take(o, FIELD_check_plan, finding_plan(&a->plan, json_incref(x->wants)));
	request_answer_json(r, op_table[r->route.op].status, o);
}

static int answer_vm(struct request *r, struct call *x, const struct msg_answer *a, struct err *e)
{
	char location[NAME_CAP + 16];
	json_t *o;

	if (vm_make(r->api->db, request_vm(r), &o, e) < 0)
		return -1;
	if (json_array_size(x->diagnostics))
		object_take(o, FIELD_vm_diagnostics, json_incref(x->diagnostics));
	request_answer_json(r, a->created ? 201 : op_table[r->route.op].status, o);
	request_etag(r, a->revision);
	snprintf(location, sizeof location, "/v1/vms/%.63s", request_vm(r));
	if (a->created)
		request_header(r, "Location", location);
	return 0;
}

/* What the operation promises in its row of ops.def. */
static int answer(struct request *r, struct call *x, const struct msg_answer *a, struct err *e)
{
	const struct op *o = &op_table[r->route.op];

	if (!strcmp(o->out, "check") && (a->err.code == ERR_OK || a->err.code == ERR_CONFIG)) {
		answer_check(r, x, a);
	} else if (a->err.code) {
		request_answer_problem(
			r, &a->err,
			&(struct problem_more){.diagnostics = json_array_size(x->diagnostics)
								      ? x->diagnostics
								      : NULL,
					       .n_more = a->n_findings_more});
	} else if (!strcmp(o->out, "vm")) {
		return answer_vm(r, x, a, e);
	} else if (!strcmp(o->out, "dump_list")) {
		return dump_answer_list(r, x->file, e);
	} else if (!strcmp(o->out, "file")) {
		return dump_answer_file(r, TAKE_FD(x->file), e);
	} else if (!strcmp(o->out, "token")) {
		return token_answer(r, a->secret, e);
	} else if (!strcmp(o->out, "none")) {
		request_answer_nothing(r, o->status);
	}
	return 0;
}

void call_answer(struct calls *c, uint64_t request, const struct msg_answer *a)
{
	struct call *x = find(c, request);
	struct msg_answer copy = *a;
	struct request *r;
	struct err e;
	int result;

	if (!x)
		return;
	r = x->request;
	err_sane(&copy.err);
	copy.secret[sizeof copy.secret - 1] = '\0';
	result = answer(r, x, &copy, &e);
	drop(c, x);
	if (result == 0 && !r->response)
		result = operation_answer(r, (int64_t)copy.operation, &e);
	if (result < 0)
		request_answer_problem(r, &e, NULL);
	if (r->response)
		request_resume(r);
}

void call_fail_all(struct calls *c, const struct err *why)
{
	while (!LIST_EMPTY(&c->list))
		fail(c, LIST_FIRST(&c->list), why);
}
