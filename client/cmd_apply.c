/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/command.h"
#include "client/declared.h"
#include "client/setting.h"
#include "client/show/diff.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/show/term.h"
#include "client/version.h"

enum { NAME = 256, CHANGES = 160, WOULD_CHANGE = 1 };

/* One VM on its way to what it shall be. */
struct step {
	const struct declared *wish;
	struct version now; /* revision 0 = it is to be made */
	char *policy;	    /* as a text; what is not declared stays */
	struct diff *config, *settings;
	bool has_other_folder, is_done;
};

struct apply {
	struct command_call *c;
	struct declared_list wishes;
	struct step *step;
	json_t *report; /* for --json */
	bool is_dry;
	unsigned n_changes, n_failed;
	int status; /* of the first that went wrong */
};

static void fail(struct apply *a, int status)
{
	if (a->status == 0)
		a->status = status;
}

/* --- what is to be done --- */

static bool is_same(const struct step *s)
{
	return s->now.revision && diff_is_empty(s->config) && diff_is_empty(s->settings) &&
	       !s->has_other_folder;
}

static void compare(struct step *s)
{
	const struct declared *w = s->wish;
	const char *config = s->now.config ? s->now.config : "",
		   *policy = s->now.policy ? s->now.policy : "";

	s->policy = w->policy ? setting_print(w->policy) : strdup(policy);
	if (!s->policy)
		abort();
	s->config = diff_new(config, s->now.bytes, w->config.text, w->config.bytes);
	s->settings = diff_new(policy, strlen(policy), s->policy, strlen(s->policy));
	s->has_other_folder = s->now.revision && strcmp(s->now.folder, w->config.folder) != 0;
}

/* As a definition would, but about the host alone: other VMs that a policy names may come by this very
 * call. */
static int check(struct command_call *c, const struct source *source)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *answer = NULL;
	struct err e;
	int status;

	if (source_check(c, source, &r, &status) < 0)
		return status;
	if (field_parse(r.body, r.body_bytes, &answer, &e) < 0)
		return problem_local(&e, c->as_json);
	if (field_true(answer, "valid"))
		return 0;
	finding_print(stderr, answer, source);
	return err_exit(ERR_CONFIG);
}

static bool is_declared(const struct apply *a, const char *vm)
{
	for (size_t i = 0; i < a->wishes.n; i++)
		if (!strcmp(a->wishes.item[i].name, vm))
			return true;
	return false;
}

/* The server would refuse it, but only when others have been changed. */
static int check_standby(struct apply *a, const struct declared *w)
{
	AUTO_VERSION struct version partner = {0};
	const char *standby = field_text(w->policy, "standby");
	struct err e;
	int status;

	if (!*standby || is_declared(a, standby))
		return 0;
	if (version_find(a->c, standby, &partner, &status) < 0)
		return status;
	if (partner.revision)
		return 0;
	err_set(&e, CONFIG,
		"the policy of '%s' names the standby '%s', which is neither a VM of the host nor "
		"declared here",
		w->name, standby);
	err_advise(&e, "correct the name, or add %s.qvmconf", standby);
	problem_local(&e, false);
	return err_exit(ERR_CONFIG);
}

/* All of it, so that all that is wrong is said. */
static void prepare(struct apply *a)
{
	for (size_t i = 0; i < a->wishes.n; i++) {
		struct step *s = &a->step[i];
		int status;

		s->wish = &a->wishes.item[i];
		if (version_find(a->c, s->wish->name, &s->now, &status) < 0) {
			fail(a, status);
			continue;
		}
		compare(s);
		if (!diff_is_empty(s->config) || s->has_other_folder)
			fail(a, check(a->c, &s->wish->config));
		fail(a, check_standby(a, s->wish));
	}
}

/* --- what is told --- */

static void describe(const struct step *s, char ret[static CHANGES])
{
	size_t n = 0;

	ret[0] = '\0';
	if (!diff_is_empty(s->config))
		str_add(ret, CHANGES, &n, "config +%u -%u", s->config->n_come, s->config->n_gone);
	if (s->has_other_folder)
		str_add(ret, CHANGES, &n, "%sfolder", n ? ", " : "");
	if (!diff_is_empty(s->settings))
		str_add(ret, CHANGES, &n, "%spolicy +%u -%u", n ? ", " : "", s->settings->n_come,
			s->settings->n_gone);
}

static unsigned widest(const struct apply *a)
{
	size_t most = 0;

	for (size_t i = 0; i < a->wishes.n; i++)
		if (strlen(a->wishes.item[i].name) > most)
			most = strlen(a->wishes.item[i].name);
	return (unsigned)most;
}

static void tell(struct apply *a, const char *vm, const char *result, enum term_style style,
		 const char *changes, int64_t revision)
{
	if (a->c->as_json) {
		json_array_append_new(a->report, json_pack("{s:s,s:s,s:s,s:I}", "vm", vm, "result",
							   result, "changes", changes, "revision",
							   (json_int_t)revision));
		return;
	}
	printf("%-*s  %s%s%s%s%s%s%s\n", (int)widest(a), vm, term_on(stdout, style),
	       a->is_dry && strcmp(result, "unchanged") != 0 ? "would be " : "", result,
	       term_off(stdout, style), *changes ? " (" : "", changes, *changes ? ")" : "");
}

static void tell_failed(struct apply *a, const char *vm, int64_t revision)
{
	a->n_failed++;
	tell(a, vm, "failed", TERM_BAD, "", revision);
}

static void show_diffs(const struct step *s)
{
	char from[NAME], to[NAME];

	snprintf(from, sizeof from, "%s.qvmconf, revision %" PRId64, s->wish->name,
		 s->now.revision);
	diff_print(s->config, stdout, s->now.revision ? from : "/dev/null", s->wish->path);
	snprintf(from, sizeof from, "%s.policy, revision %" PRId64, s->wish->name, s->now.revision);
	snprintf(to, sizeof to, "%s.policy", s->wish->name);
	diff_print(s->settings, stdout, s->now.revision ? from : "/dev/null", to);
}

/* --- what is done --- */

static char *body_of(const struct step *s)
{
	AUTO_JSON json_t *body = source_body(&s->wish->config);
	char *text;

	if (s->wish->policy)
		json_object_set(body, "policy", s->wish->policy);
	text = json_dumps(body, JSON_COMPACT);
	if (!text)
		abort();
	return text;
}

static int64_t revision_of(const struct http_response *r)
{
	AUTO_JSON json_t *vm = json_loadb(r->body, r->body_bytes, 0, NULL);

	return field_number(vm, "revision", 0);
}

static void put(struct apply *a, const struct step *s, const char *changes)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_FREE char *body = body_of(s);
	char match[HTTP_MATCH];
	struct err e;

	if (http_call(a->c->http,
		      &(struct http_request){.op = OP_vm_put,
					     .param = s->wish->name,
					     .body = body,
					     .body_bytes = strlen(body),
					     .body_type = "application/json",
					     /* What was compared is what is replaced; 0 is "only if
					      * there is none". */
					     .if_match = http_match(s->now.revision, match)},
		      &r, &e) < 0)
		fail(a, problem_local(&e, false));
	else if (!http_is_success(&r))
		fail(a, problem_answer(&r, &s->wish->config, false));
	else {
		tell(a, s->wish->name, s->now.revision ? "changed" : "created", TERM_GOOD, changes,
		     revision_of(&r));
		return;
	}
	tell_failed(a, s->wish->name, s->now.revision);
}

static void take(struct apply *a, struct step *s)
{
	char changes[CHANGES];

	s->is_done = true;
	if (is_same(s)) {
		tell(a, s->wish->name, "unchanged", TERM_DIM, "", s->now.revision);
		return;
	}
	a->n_changes++;
	describe(s, changes);
	if (!a->is_dry) {
		put(a, s, changes);
		return;
	}
	tell(a, s->wish->name, s->now.revision ? "changed" : "created", TERM_BUSY, changes,
	     s->now.revision);
	if (!a->c->as_json)
		show_diffs(s);
}

static bool names_a_standby(const struct step *s)
{
	return *field_text(s->wish->policy, "standby") != '\0';
}

/* A standby is there before the VM that names it. */
static void take_all(struct apply *a)
{
	for (unsigned turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < a->wishes.n; i++)
			if (!a->step[i].is_done && (turn || !names_a_standby(&a->step[i])))
				take(a, &a->step[i]);
}

/* --- what is not declared --- */

static void delete_one(struct apply *a, const json_t *vm)
{
	AUTO_RESPONSE struct http_response r = {0};
	const char *name = field_text(vm, "name");
	int64_t revision = field_number(vm, "revision", 0);
	char match[HTTP_MATCH];
	struct err e;

	a->n_changes++;
	if (a->is_dry) {
		tell(a, name, "deleted", TERM_BUSY, "", revision);
	} else if (http_call(a->c->http,
			     &(struct http_request){.op = OP_vm_delete,
						    .param = name,
						    .if_match = http_match(revision, match)},
			     &r, &e) < 0) {
		fail(a, problem_local(&e, false));
		tell_failed(a, name, revision);
	} else if (!http_is_success(&r)) {
		fail(a, problem_answer(&r, NULL, false));
		tell_failed(a, name, revision);
	} else {
		tell(a, name, "deleted", TERM_GOOD, "", revision);
	}
}

static void prune(struct apply *a)
{
	char query[NAME_CAP + 16] = "";
	bool has_more = true;

	while (has_more) {
		AUTO_RESPONSE struct http_response r = {0};
		AUTO_JSON json_t *list = NULL;
		json_t *vm;
		struct err e;
		int status;
		size_t i;

		if (command_ask(a->c, &(struct http_request){.op = OP_vm_list, .query = query}, &r,
				&status) < 0) {
			fail(a, status);
			return;
		}
		if (field_parse(r.body, r.body_bytes, &list, &e) < 0) {
			fail(a, problem_local(&e, false));
			return;
		}
		json_array_foreach (field_list(list, "vms"), i, vm)
			if (!is_declared(a, field_text(vm, "name")))
				delete_one(a, vm);
		has_more = *field_text(list, "next") != '\0';
		snprintf(query, sizeof query, "after=%s", field_text(list, "next"));
	}
}

/* --- the verb --- */

/* One file says nothing of the other VMs. */
static int check_usage(const struct command_call *c, bool is_pruning, struct err *e)
{
	struct stat st;
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_given; i++) {
		if (strcmp(c->given[i].option->name, "--file") != 0)
			continue;
		n++;
		if (is_pruning && stat(c->given[i].value, &st) == 0 && !S_ISDIR(st.st_mode))
			return err_set(
				e, USAGE,
				"--prune deletes what no file names, so it needs folders; '%s' "
				"is none",
				c->given[i].value);
	}
	return n ? 0 : err_set(e, USAGE, "apply needs what to apply: -f FILE or -f DIRECTORY");
}

static int read_wishes(struct apply *a)
{
	for (unsigned i = 0; i < a->c->n_given; i++)
		if (!strcmp(a->c->given[i].option->name, "--file"))
			declared_read(a->c->given[i].value, &a->wishes);
	declared_sort(&a->wishes);
	if (a->wishes.status)
		fprintf(stderr, "Nothing was changed.\n");
	return a->wishes.status;
}

static void clear(struct apply *a)
{
	for (size_t i = 0; a->step && i < a->wishes.n; i++) {
		version_free(&a->step[i].now);
		free(a->step[i].policy);
		diff_free(a->step[i].config);
		diff_free(a->step[i].settings);
	}
	free(a->step);
	json_decref(a->report);
	declared_free(&a->wishes);
}

static int apply_all(struct apply *a, bool is_pruning)
{
	a->step = calloc(a->wishes.n + 1, sizeof *a->step);
	if (!a->step)
		abort();
	prepare(a);
	if (a->status) {
		fprintf(stderr, "Nothing was changed.\n");
		return a->status;
	}
	take_all(a);
	if (is_pruning && a->status == 0)
		prune(a);
	if (a->c->as_json)
		field_print_object(a->report);
	if (a->n_failed)
		fprintf(stderr,
			"%u of %u changes failed, for the reasons above; the others were made. The "
			"same apply again tries them anew.\n",
			a->n_failed, a->n_changes);
	return a->status ? a->status : a->is_dry && a->n_changes ? WOULD_CHANGE : 0;
}

static int run(struct command_call *c)
{
	struct apply a = {.c = c, .is_dry = command_value(c, "--dry-run") != NULL};
	bool is_pruning = command_value(c, "--prune") != NULL;
	struct err e;
	int status;

	if (check_usage(c, is_pruning, &e) < 0)
		return problem_local(&e, c->as_json);
	a.report = json_array();
	status = read_wishes(&a);
	if (status == 0)
		status = apply_all(&a, is_pruning);
	clear(&a);
	return status;
}

static const struct command_option options[] = {
	{"--file", "-f", "PATH", "a NAME.qvmconf, or a folder of them; may be repeated"},
	{"--dry-run", NULL, NULL, "change nothing and show what would change, as diff -u"},
	{"--prune", NULL, NULL, "delete the VMs that no file names; one that runs is refused"},
	{0},
};

static const struct command apply = {
	.name = "apply",
	.group = COMMAND_SETUP,
	.arguments = "",
	.op = OP_vm_put,
	.summary = "Make the VMs of a host what files say, and nothing where they are it already",
	.help = "NAME.qvmconf is the configuration of the VM NAME; NAME.policy beside it, with "
		"lines "
		"`field = value`, its\n"
		"whole policy. Without it the policy stays as it is. Everything is read and "
		"checked before "
		"anything is\n"
		"changed; no guest is touched: a new configuration is for the next start.\n\n"
		"With 12, a file cannot be read, and 65, one is wrong, nothing was changed; with "
		"the status\n"
		"of a VM that failed, the others were.\n\n"
		"  qvmadm apply -f /etc/qvm/vms --dry-run\n"
		"  qvmadm apply -f /etc/qvm/vms --prune\n"
		"  qvmadm apply -f brake.qvmconf -f brake-b.qvmconf",
	.options = options,
	.statuses =
		(const struct command_status[]){{1, "with --dry-run: something would change"}, {0}},
	.print_more = setting_print_fields,
	.run = run,
};

COMMAND_REGISTER(apply);
