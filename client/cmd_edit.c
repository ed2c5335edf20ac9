/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/draft.h"
#include "client/setting.h"
#include "client/show/diff.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/show/vm.h"
#include "client/source.h"
#include "client/version.h"

enum { NAME = 256 };

/* One edit: a VM as it was when its text was shown, and the text. */
struct edit {
	struct command_call *c;
	const char *vm;
	bool is_policy;
	struct version base;
	struct draft draft;
	struct source text; /* as the editor has left it */
};

enum outcome { DONE, MEND };

static char *begin_with(const struct edit *x)
{
	char *text = x->is_policy ? setting_document(x->base.fields) : strdup(x->base.config);

	if (!text)
		abort();
	return text;
}

/* {"policy": every field, null where it shall have its default} */
static json_t *whole_policy(const json_t *given)
{
	json_t *all = setting_defaults();

	if (json_object_update(all, (json_t *)given) < 0)
		abort();
	return json_pack("{s:o}", "policy", all);
}

/* NULL: the text is none; its findings have been told. */
static char *make_body(struct edit *x)
{
	AUTO_JSON json_t *body = NULL, *policy = NULL;
	char *text;

	if (!x->is_policy) {
		body = json_pack("{s:s%}", "config", x->text.text, x->text.bytes);
		if (*x->base.folder)
			json_object_set_new(body, "folder", json_string(x->base.folder));
	} else if (setting_parse(&x->text, &policy) == 0) {
		body = whole_policy(policy);
	} else {
		finding_print(stderr, policy, &x->text);
		return NULL;
	}
	text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (!text)
		abort();
	return text;
}

/* Somebody else was quicker: what they changed, and on top of what this text would come now. */
static void show_other_change(struct edit *x)
{
	AUTO_VERSION struct version now = {0};
	const char *was = x->is_policy ? x->base.policy : x->base.config;
	char from[NAME], to[NAME];
	const char *is;
	int unused;

	if (version_read(x->c, x->vm, VERSION_NEWEST, &now, &unused) < 0)
		return;
	is = x->is_policy ? now.policy : now.config;
	AUTO_DIFF struct diff *d = diff_new(was, strlen(was), is, strlen(is));

	snprintf(from, sizeof from, "%s, revision %" PRId64 ", which you edit", x->vm,
		 x->base.revision);
	snprintf(to, sizeof to, "%s, revision %" PRId64 ", meanwhile", x->vm, now.revision);
	diff_print(d, stderr, from, to);
	if (diff_is_empty(d))
		fprintf(stderr, "That change is elsewhere: yours does not touch it.\n");
	version_free(&x->base);
	x->base = now;
	now = (struct version){0};
}

static int tell(const struct http_response *r, const struct source *s, bool as_json)
{
	AUTO_JSON json_t *vm = NULL;
	struct err e;

	if (as_json) {
		field_print(r->body, r->body_bytes);
		return 0;
	}
	if (field_parse(r->body, r->body_bytes, &vm, &e) < 0)
		return problem_local(&e, false);
	finding_print(stderr, vm, s);
	printf("%s: is now at revision %" PRId64 "\n", field_text(vm, "name"),
	       field_number(vm, "revision", 0));
	vm_print_pending(vm);
	return 0;
}

static enum outcome send(struct edit *x, int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_FREE char *body = make_body(x);
	char match[HTTP_MATCH];
	struct err e;

	*ret_status = err_exit(ERR_CONFIG);
	if (!body)
		return MEND;
	if (http_call(x->c->http,
		      &(struct http_request){.op = x->is_policy ? OP_vm_patch : OP_vm_put,
					     .param = x->vm,
					     .body = body,
					     .body_bytes = strlen(body),
					     .body_type = "application/json",
					     .if_match = http_match(x->base.revision, match)},
		      &r, &e) < 0) {
		*ret_status = problem_local(&e, x->c->as_json);
		return MEND;
	}
	if (http_is_success(&r)) {
		*ret_status = tell(&r, &x->text, x->c->as_json);
		return DONE;
	}
	*ret_status = problem_answer(&r, &x->text, x->c->as_json);
	if (*ret_status == err_exit(ERR_STALE))
		show_other_change(x);
	return MEND;
}

static bool wants_to_go_on(const struct edit *x)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	for (;;) {
		fprintf(stderr,
			"(e)dit again, to come on top of revision %" PRId64
			", or (q)uit and keep the text? ",
			x->base.revision);
		if (!fgets(answer, sizeof answer, stdin) || answer[0] == 'q')
			return false;
		if (answer[0] == 'e')
			return true;
	}
}

static bool is_changed(const struct edit *x, const char *begun)
{
	return strlen(begun) != x->text.bytes || memcmp(begun, x->text.text, x->text.bytes) != 0;
}

static int read_text(struct edit *x, struct err *e)
{
	source_free(&x->text);
	return source_read(x->draft.path, &x->text, e);
}

/* Until it is there, or the person gives up. *ret_is_kept: the draft holds what is nowhere else. */
static int edit_until_done(struct edit *x, const char *begun, bool *ret_is_kept)
{
	struct err e;
	int status;

	for (;;) {
		bool is_well = draft_edit(&x->draft, &e) == 0;

		if (read_text(x, is_well ? &e : &(struct err){0}) < 0) {
			*ret_is_kept = true;
			return problem_local(&e, x->c->as_json);
		}
		*ret_is_kept = is_changed(x, begun);
		if (!is_well)
			return problem_local_with(&e, "VISUAL or EDITOR names another editor",
						  x->c->as_json);
		if (!*ret_is_kept) {
			vm_print_revision(x->vm, x->base.revision, false);
			return 0;
		}
		if (send(x, &status) == DONE) {
			*ret_is_kept = false;
			return status;
		}
		if (!wants_to_go_on(x))
			return status;
	}
}

static int run_edit(struct edit *x, const char *from)
{
	AUTO_SOURCE struct source given = {0};
	AUTO_FREE char *begun = begin_with(x);
	bool is_kept = false;
	char name[NAME];
	struct err e;
	int status;

	if (from && source_read(from, &given, &e) < 0)
		return problem_local(&e, x->c->as_json);
	snprintf(name, sizeof name, "%s.%s", x->vm, x->is_policy ? "policy" : "qvmconf");
	if (draft_open(name, from ? given.text : begun, from ? given.bytes : strlen(begun),
		       &x->draft, &e) < 0)
		return problem_local(&e, x->c->as_json);
	status = edit_until_done(x, begun, &is_kept);
	if (is_kept)
		fprintf(stderr,
			"Your text is kept in '%s'; go on with: qvmadm edit %s %s--from %s\n",
			x->draft.path, x->vm, x->is_policy ? "--policy " : "", x->draft.path);
	else
		draft_remove(&x->draft);
	return status;
}

static int run(struct command_call *c)
{
	struct edit x = {.c = c, .is_policy = command_value(c, "--policy") != NULL};
	int status;

	x.vm = command_vm(c, &status);
	if (!x.vm || version_read(c, x.vm, VERSION_NEWEST, &x.base, &status) < 0)
		return status;
	status = run_edit(&x, command_value(c, "--from"));
	version_free(&x.base);
	source_free(&x.text);
	return status;
}

static const struct command_option options[] = {
	{"--policy", "-p", NULL, "the policy instead of the configuration, every field explained"},
	{"--from", NULL, "FILE", "begin with this text, one that was kept"},
	{0},
};

static const struct command edit = {
	.name = "edit",
	.group = COMMAND_SETUP,
	.arguments = "VM",
	.op = OP_vm_put,
	.summary = "Change a VM's configuration or policy in an editor",
	.help = "The newest revision opens in $VISUAL or $EDITOR. What is saved is checked and "
		"becomes "
		"a revision, if\n"
		"nobody else has made one meanwhile. When it cannot be, the findings are shown and "
		"the "
		"text opens again;\n"
		"on giving up it stays in a file that is named. Left unchanged, nothing "
		"happens.\n\n"
		"  qvmadm edit brake\n"
		"  EDITOR='emacs -nw' qvmadm edit brake --policy",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(edit);
