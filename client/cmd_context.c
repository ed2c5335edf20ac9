/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "client/command.h"
#include "client/contexts.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"

static json_t *as_object(const struct contexts *all, const struct context *x)
{
	json_t *o =
		json_pack("{s:s,s:b}", "name", x->name, "current", !strcmp(all->current, x->name));

	for (unsigned f = 0; f < CONTEXT_FIELDS; f++)
		if (x->field[f])
			json_object_set_new(o, context_key[f], json_string(x->field[f]));
	return o;
}

static void print_table(const struct command_call *c, const struct contexts *all)
{
	AUTO_TABLE struct table *t = table_new();

	table_column(t, "CURRENT", TABLE_LEFT, false);
	table_column(t, "NAME", TABLE_LEFT, false);
	table_column(t, "HOST", TABLE_LEFT, true);
	table_column(t, "COMES WITH", TABLE_LEFT, true);
	for (unsigned i = 0; i < all->n; i++) {
		const struct context *x = &all->list[i];
		const char *token = x->field[CONTEXT_TOKEN_FILE], *cert = x->field[CONTEXT_CERT];

		table_cell(t, TERM_GOOD, "%s", strcmp(all->current, x->name) ? "" : "*");
		table_cell(t, TERM_BOLD, "%s", x->name);
		table_cell(t, TERM_PLAIN, "%s", x->field[CONTEXT_HOST]);
		table_cell(t, TERM_DIM, "%s%s",
			   token  ? "the token of "
			   : cert ? "the certificate "
				  : "-",
			   token  ? token
			   : cert ? cert
				  : "");
	}
	table_print(t, stdout, 0, command_width(c));
}

static int list(const struct command_call *c, const struct contexts *all)
{
	AUTO_JSON json_t *o = json_pack("{s:s,s:[]}", "current", all->current, "contexts");

	for (unsigned i = 0; i < all->n; i++) {
		if (c->output == OUTPUT_NAME)
			printf("%s\n", all->list[i].name);
		json_array_append_new(json_object_get(o, "contexts"),
				      as_object(all, &all->list[i]));
	}
	if (c->output == OUTPUT_NAME)
		return 0;
	if (c->as_json)
		field_print_object(o);
	else if (all->n)
		print_table(c, all);
	else
		fprintf(stderr,
			"There are no contexts. `qvmadm context add NAME URL` makes one.\n");
	return 0;
}

static int show(const struct command_call *c, struct contexts *all, const char *name, struct err *e)
{
	AUTO_JSON json_t *o = NULL;
	struct context *x;

	if (!name && !*all->current)
		return err_set(
			e, INVALID,
			"no context is the current one; `qvmadm context use NAME` chooses it");
	if (contexts_find(all, name ? name : all->current, &x, e) < 0)
		return -1;
	if (c->as_json) {
		o = as_object(all, x);
		field_print_object(o);
		return 0;
	}
	printf("%s%s%s%s\n", term_on(stdout, TERM_BOLD), x->name, term_off(stdout, TERM_BOLD),
	       strcmp(all->current, x->name) ? "" : ", the current one");
	for (unsigned f = 0; f < CONTEXT_FIELDS; f++)
		if (x->field[f])
			printf("  %s%-12s%s%s\n", term_on(stdout, TERM_DIM), context_key[f],
			       term_off(stdout, TERM_DIM), x->field[f]);
	return 0;
}

/* A file that is there now, by its absolute name: a context is used from any folder. */
static int set_file(struct context *x, unsigned field, const char *path, struct err *e)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return err_sys(e, RESOURCE, "find the file '%s' of --%s", path, context_key[field]);
	if (strpbrk(real, "\n\r"))
		return err_set(e, INVALID, "the name of the file of --%s has a line break in it",
			       context_key[field]);
	if (!(x->field[field] = strdup(real)))
		abort();
	return 0;
}

static int add(const struct command_call *c, struct contexts *all, const char *name,
	       const char *url, struct err *e)
{
	struct context *x;
	char option[32];

	if (!name_is_valid(name))
		return err_set(
			e, USAGE,
			"'%s' cannot be the name of a context: up to 63 of a-z 0-9 . _ -, the "
			"first a letter or digit",
			name);
	if (contexts_find(all, name, &x, e) == 0)
		return err_set(
			e, INVALID,
			"there is a context '%s' already, for '%s'; `qvmadm context remove %s` "
			"makes room",
			name, x->field[CONTEXT_HOST], name);
	if (http_check_host(url, e) < 0 || contexts_add(all, name, &x, e) < 0)
		return -1;
	if (url[strcspn(url, "\n\r")])
		return err_set(e, USAGE, "the address has a line break in it");
	if (!(x->field[CONTEXT_HOST] = strdup(url)))
		abort();
	for (unsigned f = CONTEXT_HOST + 1; f < CONTEXT_FIELDS; f++) {
		snprintf(option, sizeof option, "--%s", context_key[f]);
		if (command_value(c, option) && set_file(x, f, command_value(c, option), e) < 0)
			return -1;
	}
	if (!x->field[CONTEXT_CERT] != !x->field[CONTEXT_KEY])
		return err_set(e, USAGE, "a client certificate takes both, --cert and --key");
	return contexts_write(all, e);
}

static int use(struct contexts *all, const char *name, struct err *e)
{
	struct context *x;

	if (strcmp(name, "-") != 0 && contexts_find(all, name, &x, e) < 0)
		return -1;
	str_copy(all->current, sizeof all->current, strcmp(name, "-") ? name : "");
	return contexts_write(all, e);
}

static int drop(struct contexts *all, const char *name, struct err *e)
{
	struct context *x;

	if (contexts_find(all, name, &x, e) < 0)
		return -1;
	contexts_remove(all, x);
	return contexts_write(all, e);
}

static int change(const struct command_call *c, const char *what, const char *name, struct err *e)
{
	AUTO_CONTEXTS struct contexts *all = NULL;
	bool adds = !strcmp(what, "add"), uses = !strcmp(what, "use");

	if (contexts_open(&all, e) < 0 || (adds	  ? add(c, all, name, c->argument[2], e)
					   : uses ? use(all, name, e)
						  : drop(all, name, e)) < 0)
		return -1;
	if (c->as_json)
		return 0;
	if (adds)
		printf("%s: added; `qvmadm --context %s list` asks it, `qvmadm context use %s` "
		       "makes "
		       "it the usual one\n",
		       name, name, name);
	else if (uses && !strcmp(name, "-"))
		printf("no context is used any more: qvmadm asks this host\n");
	else
		printf("%s: %s\n", name, uses ? "is asked from now on" : "removed");
	return 0;
}

static int no_such_form(const struct command_call *c, struct err *e)
{
	return err_set(
		e, USAGE,
		"'context %s' is none of: context list, show [NAME], add NAME URL, use NAME, "
		"remove NAME",
		c->argument[0]);
}

/* Whether as many arguments as it takes stand behind the first: least to most. */
static bool has(const struct command_call *c, unsigned least, unsigned most)
{
	unsigned n = 0;

	while (n < 2 && c->argument[n + 1])
		n++;
	return n >= least && n <= most;
}

static int act(const struct command_call *c, struct err *e)
{
	AUTO_CONTEXTS struct contexts *all = NULL;
	const char *what = c->argument[0] ? c->argument[0] : "list";
	bool adds = !strcmp(what, "add");

	if (c->n_given && !adds)
		return err_set(e, USAGE, "%s is for `context add`", c->given[0].option->name);
	if ((adds && has(c, 2, 2)) ||
	    ((!strcmp(what, "use") || !strcmp(what, "remove")) && has(c, 1, 1)))
		return change(c, what, c->argument[1], e);
	if (!strcmp(what, "list") && has(c, 0, 0))
		return contexts_read(&all, e) < 0 ? -1 : list(c, all);
	if (!strcmp(what, "show") && has(c, 0, 1))
		return contexts_read(&all, e) < 0 ? -1 : show(c, all, c->argument[1], e);
	return no_such_form(c, e);
}

static int run(struct command_call *c)
{
	struct err e;

	return act(c, &e) < 0 ? problem_local(&e, c->as_json) : 0;
}

static const struct command_option options[] = {
	{"--token-file", NULL, "FILE", "that holds the secret of a token"},
	{"--cacert", NULL, "FILE", "PEM file of the authority that signs the host's certificate"},
	{"--cert", NULL, "FILE", "PEM file of a client certificate"},
	{"--key", NULL, "FILE", "PEM file of its key"},
	{0},
};

static const struct command context = {
	.name = "context",
	.group = COMMAND_HELP,
	.arguments = "[list|show|add|use|remove] [NAME] [URL]",
	.summary = "Names for the hosts that qvmadm may ask",
	.forms = OUTPUT_IN(OUTPUT_NAME) | OUTPUT_IN(OUTPUT_WIDE),
	.is_local = true,
	.help = "A context is a name for a host and for what to come to it with. `use` makes one "
		"the "
		"usual one,\n"
		"`use -` none. Of -H, --context, QVM_HOST, QVM_CONTEXT and the current context the "
		"first that is\n"
		"given counts, else it is the system's socket. They are kept in "
		"$XDG_CONFIG_HOME/qvm/contexts.conf\n"
		"(~/.config without it), for this user alone.\n\n"
		"  qvmadm context add lab https://lab:9443 --token-file lab.token --cacert "
		"lab.pem\n"
		"  qvmadm context add spare unix:/run/spare/api.sock\n"
		"  qvmadm context use lab\n"
		"  qvmadm --context spare list\n"
		"  qvmadm context remove spare",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(context);
