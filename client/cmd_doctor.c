/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "client/command.h"
#include "client/doctor/doctor.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/prose.h"
#include "client/show/term.h"

enum { EXIT_WARNING = 30, EXIT_ERROR = 31, RESULT_COLUMNS = 9, WHAT_COLUMNS = 19, SHALLOW = 4 };

struct visit {
	struct command_call *c;
	struct patient p;
	char why[ERR_MSG];
	bool is_remote, is_json, is_local_only;
	unsigned n[DOCTOR_RESULTS];
	json_t *list; /* for --json */
};

static void visit_done(struct visit *v)
{
	json_decref(v->p.health);
	json_decref(v->p.host);
	json_decref(v->p.vms);
	json_decref(v->p.tokens);
	json_decref(v->list);
}

/* *ret stays NULL where the server does not say it. True: somebody answered. */
static bool ask(struct visit *v, enum op_id op, const char *query, json_t **ret, long *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	struct err e;

	*ret_status = 0;
	if (http_call(v->c->http, &(struct http_request){.op = op, .query = query}, &r, &e) < 0) {
		snprintf(v->why, sizeof v->why, "%s", e.msg);
		return false;
	}
	*ret_status = r.status;
	/* /healthz tells of itself what is away, with 503. */
	if ((http_is_success(&r) || op == OP_health) &&
	    field_parse(r.body, r.body_bytes, ret, &e) < 0)
		snprintf(v->why, sizeof v->why, "%s", e.msg);
	return true;
}

static json_t *take_list(json_t *take_object, const char *name)
{
	json_t *list = take_object ? json_incref(field_list(take_object, name)) : NULL;

	json_decref(take_object);
	return list;
}

static void ask_server(struct visit *v)
{
	json_t *vms = NULL, *tokens = NULL;
	long status;

	v->p.why_no_server = v->why;
	if (!ask(v, OP_health, NULL, &v->p.health, &status) || !v->p.health)
		return;
	ask(v, OP_host_show, NULL, &v->p.host, &status);
	ask(v, OP_vm_list, "limit=10000", &vms, &status);
	ask(v, OP_token_list, NULL, &tokens, &status);
	v->p.is_denied = status == 401 || status == 403;
	v->p.vms = take_list(vms, "vms");
	v->p.tokens = take_list(tokens, "tokens");
}

static void print_finding(const struct doctor_check *k, const struct finding *f)
{
	static const enum term_style style[DOCTOR_RESULTS] = {TERM_GOOD, TERM_COOL, TERM_DIM,
							      TERM_BUSY, TERM_BAD};

	unsigned at = RESULT_COLUMNS + WHAT_COLUMNS + 1;

	printf("%s%-*s%s%-*s ", term_on(stdout, style[f->result]), RESULT_COLUMNS,
	       doctor_result_id(f->result), term_off(stdout, style[f->result]), WHAT_COLUMNS,
	       k->what);
	prose_behind(stdout, f->text, at);
	if (!*f->mend)
		return;
	if (term_width(stdout) && term_width(stdout) < 2 * at)
		at = SHALLOW;
	printf("%*s%smend:%s ", (int)at, "", term_on(stdout, TERM_BOLD),
	       term_off(stdout, TERM_BOLD));
	prose_behind(stdout, f->mend, at + (unsigned)strlen("mend: "));
}

static void note(struct visit *v, const struct doctor_check *k, const struct finding *f)
{
	json_t *o;

	v->n[f->result]++;
	if (!v->is_json) {
		print_finding(k, f);
		return;
	}
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "id", k->id, "what", k->what, "where",
		      k->is_local ? "host" : "server", "result", doctor_result_id(f->result),
		      "text", f->text, "mend", f->mend);
	if (!o || json_array_append_new(v->list, o) < 0)
		abort();
}

/* Without a server only that can be said of it; without a host object, nothing that is in it. */
static bool can_be_looked_at(const struct visit *v, const struct doctor_check *k)
{
	if (k->is_local)
		return !v->is_remote;
	return !v->is_local_only && (k->look == check_server || v->p.host);
}

static void print_end(const struct visit *v, unsigned n_left_out)
{
	unsigned all = 0;

	for (unsigned r = 0; r < DOCTOR_RESULTS; r++)
		all += v->n[r];
	printf("\n%u checks: %u ok, %u note%s, %u unknown, %u warning%s, %u error%s\n", all,
	       v->n[DOCTOR_OK], v->n[DOCTOR_NOTE], v->n[DOCTOR_NOTE] == 1 ? "" : "s",
	       v->n[DOCTOR_UNKNOWN], v->n[DOCTOR_WARNING], v->n[DOCTOR_WARNING] == 1 ? "" : "s",
	       v->n[DOCTOR_ERROR], v->n[DOCTOR_ERROR] == 1 ? "" : "s");
	if (v->is_remote)
		printf("%u checks of the machine itself are left out: run qvmadm doctor on that "
		       "host.\n",
		       n_left_out);
	else if (n_left_out)
		printf("%u checks that the API answers are left out.\n", n_left_out);
}

static int run(struct command_call *c)
{
	__attribute__((cleanup(visit_done))) struct visit v = {
		.c = c,
		.p = {.root = "", .now_ms = clock_wall_ms()},
		.is_remote = !strncmp(http_host(c->http), "https:", 6),
		.is_json = c->as_json,
		.is_local_only = command_value(c, "--local"),
		.list = json_array()};
	const struct doctor_check *k;
	unsigned n_left_out = 0;
	struct err e;

	if (v.is_local_only && v.is_remote) {
		err_set(&e, USAGE, "--local is about this machine, '%s' is another",
			http_host(c->http));
		return problem_local(&e, c->as_json);
	}
	if (!v.is_local_only)
		ask_server(&v);
	for (unsigned i = 0; (k = doctor_next(i)); i++) {
		struct finding f = {.result = DOCTOR_UNKNOWN};

		if (!can_be_looked_at(&v, k)) {
			n_left_out++;
			continue;
		}
		k->look(&v.p, &f);
		note(&v, k, &f);
	}
	if (v.is_json)
		json_dumpf(v.list, stdout, JSON_INDENT(1));
	if (v.is_json)
		putchar('\n');
	else
		print_end(&v, n_left_out);
	return v.n[DOCTOR_ERROR] ? EXIT_ERROR : v.n[DOCTOR_WARNING] ? EXIT_WARNING : 0;
}

static const struct command_option options[] = {
	{"--local", NULL, NULL, "only what needs no server"},
	{0},
};

static const struct command doctor = {
	.name = "doctor",
	.group = COMMAND_LOOK,
	.arguments = "",
	.summary = "Look whether a host is fit for VMs, and tell how to mend what is not",
	.help = "Looks at this machine and, by its API, at its server; of another host at the "
		"server alone. "
		"Each finding\n"
		"is ok, a note (something is not to be had, which may be no matter), unknown, a "
		"warning or "
		"an error, with\n"
		"what to do. Nothing is changed.\n"
		"\n"
		"  qvmadm doctor\n"
		"  qvmadm doctor -o json | jq '.[] | select(.result == \"error\")'\n"
		"  qvmadm -H https://host:9443 doctor",
	.options = options,
	.statuses = (const struct command_status[]){{EXIT_WARNING, "there are warnings"},
						    {EXIT_ERROR, "there are errors"},
						    {0}},
	.run = run,
};

COMMAND_REGISTER(doctor);
