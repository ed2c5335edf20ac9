/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "client/command.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"

static void print_tokens(const struct command_call *c, json_t *list)
{
	AUTO_TABLE struct table *t = table_new();
	int64_t now_ms = clock_wall_ms();
	size_t i;
	json_t *x;

	table_column(t, "NAME", TABLE_LEFT, false);
	table_column(t, "KIND", TABLE_LEFT, false);
	table_column(t, "ROLE", TABLE_LEFT, false);
	table_column(t, "VMS", TABLE_LEFT, false);
	table_column(t, "EXPIRES", TABLE_LEFT, false);
	table_column(t, "MADE", TABLE_LEFT, true);
	json_array_foreach (list, i, x) {
		const char *vms = field_text(x, "vms"), *expires = field_text(x, "expires");
		char age[AGE_TEXT];
		bool has_ended = *expires && age_parse(expires) <= now_ms;

		table_cell(t, TERM_BOLD, "%s", field_text(x, "name"));
		table_cell(t, TERM_PLAIN, "%s", field_text(x, "kind"));
		table_cell(t, TERM_PLAIN, "%s", field_text(x, "role"));
		table_cell(t, TERM_PLAIN, "%s", *vms ? vms : "all, and the host");
		table_cell(t, has_ended ? TERM_BAD : TERM_PLAIN, "%s",
			   *expires ? age_text(expires, now_ms, age) : "never");
		table_cell(t, TERM_DIM, "%s by uid %" PRId64,
			   age_text(field_text(x, "created"), now_ms, age),
			   field_number(x, "uid", 0));
	}
	table_print(t, stdout, 0, command_width(c));
}

static int list(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *all = NULL;
	struct err e;
	int status;

	if (command_ask(c, &(struct http_request){.op = OP_token_list}, &r, &status) < 0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	if (field_parse(r.body, r.body_bytes, &all, &e) < 0)
		return problem_local(&e, false);
	if (c->output == OUTPUT_NAME)
		output_names(field_list(all, "tokens"), "name");
	else if (json_array_size(field_list(all, "tokens")))
		print_tokens(c, field_list(all, "tokens"));
	else
		fprintf(stderr, "There are no tokens. `qvmadm token create NAME` makes one.\n");
	return 0;
}

static int make_body(const struct command_call *c, char **ret, struct err *e)
{
	AUTO_JSON json_t *body = json_object();
	const char *role = command_value(c, "--role"), *vms = command_value(c, "--vms");
	const char *expires = command_value(c, "--expires");
	int64_t ms = 0;

	if (expires && age_read_span(expires, &ms, e) < 0)
		return -1;
	json_object_set_new(body, "role", json_string(role ? role : "reader"));
	if (vms)
		json_object_set_new(body, "vms", json_string(vms));
	if (ms)
		json_object_set_new(body, "expires_in", json_integer((ms + 999) / 1000));
	if (command_value(c, "--certificate"))
		json_object_set_new(body, "certificate", json_true());
	*ret = json_dumps(body, JSON_COMPACT);
	if (!*ret)
		abort();
	return 0;
}

static int create(struct command_call *c, const char *name)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_FREE char *body = NULL;
	AUTO_JSON json_t *token = NULL;
	struct err e;
	int status;

	if (make_body(c, &body, &e) < 0)
		return problem_local(&e, c->as_json);
	if (command_ask(c,
			&(struct http_request){.op = OP_token_create,
					       .param = name,
					       .body = body,
					       .body_bytes = strlen(body),
					       .body_type = "application/json"},
			&r, &status) < 0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	if (field_parse(r.body, r.body_bytes, &token, &e) < 0)
		return problem_local(&e, false);
	if (command_value(c, "--certificate")) {
		printf("A client certificate with the common name '%s' has the role %s now.\n",
		       name, field_text(token, "role"));
		return 0;
	}
	/* The secret alone on stdout: TOKEN=$(qvmadm token create ...) is what scripts want. */
	fprintf(stderr, "%s: a token with the role %s. This is its secret; it is shown once:\n",
		name, field_text(token, "role"));
	printf("%s\n", field_text(token, "secret"));
	return 0;
}

static int delete (struct command_call *c, const char *name)
{
	AUTO_RESPONSE struct http_response r = {0};
	int status;

	if (command_ask(c, &(struct http_request){.op = OP_token_delete, .param = name}, &r,
			&status) < 0)
		return status;
	if (!c->as_json)
		printf("%s: lets nobody in any more\n", name);
	return 0;
}

static int run(struct command_call *c)
{
	const char *what = c->argument[0] ? c->argument[0] : "list", *name = c->argument[1];
	struct err e;

	if (!strcmp(what, "list") && !name)
		return list(c);
	if ((!strcmp(what, "create") || !strcmp(what, "delete")) && name)
		return *what == 'c' ? create(c, name) : delete (c, name);
	if (!strcmp(what, "create") || !strcmp(what, "delete")) {
		err_set(&e, USAGE, "'token %s' needs more: qvmadm token %s NAME", what, what);
		return problem_local(&e, c->as_json);
	}
	err_set(&e, USAGE,
		"'token %s%s%s' is none of: token list, token create NAME, token delete NAME", what,
		name ? " " : "", name ? name : "");
	return problem_local(&e, c->as_json);
}

static const struct command_option options[] = {
	{"--role", NULL, "ROLE", "reader, operator or admin; without it reader"},
	{"--vms", NULL, "PATTERN", "only for VMs that match, as in 'web-*'"},
	{"--expires", NULL, "TIME", "ends after so long, as in 30m or 90d; without it never"},
	{"--certificate", NULL, NULL, "no secret: for the client certificate of that common name"},
	{0},
};

static const struct command token = {
	.name = "token",
	.group = COMMAND_SETUP,
	.arguments = "[list|create|delete] [NAME]",
	.op = OP_token_list,
	.forms = OUTPUT_IN(OUTPUT_WIDE) | OUTPUT_IN(OUTPUT_NAME),
	.help = "Scripts and other hosts come with a token, sent as `Authorization: Bearer "
		"SECRET`, or "
		"with a client\n"
		"certificate. qvmadm itself sends the secret in QVM_TOKEN. The host keeps a digest "
		"of "
		"it alone.\n\n"
		"  qvmadm token create backup --role operator --vms 'web-*' --expires 30d >secret\n"
		"  QVM_TOKEN=$(cat secret) qvmadm -H https://host:9443 list\n"
		"  qvmadm token delete backup",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(token);
