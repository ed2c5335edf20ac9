/* SPDX-License-Identifier: Apache-2.0 */
#include "client/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/name.h"
#include "base/str.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/term.h"

extern const struct command *const __start_qvm_command[];
extern const struct command *const __stop_qvm_command[];

/* Options of every verb. */
enum { HOST, CONTEXT, OUTPUT, JSON, VERBOSE, HELP, COMMON };

static const struct command_option common[COMMON + 1] = {
	[HOST] = {"--host", "-H", "HOST",
		  "unix:PATH or https://HOST:PORT; else QVM_HOST, a context, the system's"},
	[CONTEXT] = {"--context", NULL, "NAME",
		     "the host of that name; `qvmadm context` keeps them (else QVM_CONTEXT)"},
	[OUTPUT] = {"--output", "-o", "FORM", "table, json, of some verbs wide and name too"},
	[JSON] = {"--json", NULL, NULL, "as -o json: what the server sends; problems too"},
	[VERBOSE] = {"--verbose", "-v", NULL, "tell each call to the server on stderr"},
	[HELP] = {"--help", "-h", NULL, "this text"},
};

static bool precedes(const struct command *a, const struct command *b)
{
	return a->group != b->group ? a->group < b->group : strcmp(a->name, b->name) < 0;
}

const struct command *command_next(unsigned *state)
{
	size_t n = (size_t)(__stop_qvm_command - __start_qvm_command);

	/* The row that has exactly *state rows before it: a sort without storage. */
	for (size_t i = 0; i < n; i++) {
		unsigned before = 0;

		for (size_t j = 0; j < n; j++)
			before += precedes(__start_qvm_command[j], __start_qvm_command[i]);
		if (before == *state) {
			++*state;
			return __start_qvm_command[i];
		}
	}
	return NULL;
}

int command_find(const char *name, const struct command **ret, struct err *e)
{
	struct str_near verb = str_near(name);
	unsigned state = 0;

	for (const struct command *c; (c = command_next(&state));) {
		if (str_try(&verb, c->name) == 0 || (c->alias && !strcmp(name, c->alias))) {
			*ret = c;
			return 0;
		}
	}
	if (verb.near)
		return err_set(e, USAGE, "there is no verb '%s'; did you mean '%s'?", name,
			       verb.near);
	return err_set(e, USAGE, "there is no verb '%s'; `qvmadm help` lists them", name);
}

const char *command_summary(const struct command *c)
{
	return c->summary ? c->summary : op_table[c->op].summary;
}

const struct command_option *command_common(void)
{
	return common;
}

static bool is_named(const struct command_option *o, const char *word, size_t n)
{
	return (strlen(o->name) == n && !memcmp(o->name, word, n)) ||
	       (o->letter && strlen(o->letter) == n && !memcmp(o->letter, word, n));
}

static const struct command_option *find_option(const struct command_option *list, const char *word,
						size_t n)
{
	for (; list && list->name; list++)
		if (is_named(list, word, n))
			return list;
	return NULL;
}

const struct command_option *command_option(const struct command *c, const char *word, size_t n)
{
	const struct command_option *o = find_option(c ? c->options : NULL, word, n);

	return o ? o : find_option(common, word, n);
}

static void try_options(struct str_near *n, const struct command_option *list)
{
	for (; list && list->name; list++)
		str_try(n, list->name);
}

static int unknown_option(const struct command *c, const char *word, struct err *e)
{
	struct str_near option = str_near(word);

	try_options(&option, c->options);
	try_options(&option, common);
	if (option.near)
		return err_set(e, USAGE, "'%s' has no option '%s'; did you mean '%s'?", c->name,
			       word, option.near);
	return err_set(e, USAGE, "'%s' has no option '%s'", c->name, word);
}

static void count_arguments(const struct command *c, unsigned *ret_least, unsigned *ret_most)
{
	*ret_least = *ret_most = 0;
	for (const char *p = c->arguments; *p; p += strcspn(p, " "), p += *p == ' ') {
		*ret_least += *p != '[';
		++*ret_most;
	}
	if (strstr(c->arguments, "..."))
		*ret_most = COMMAND_ARGUMENTS;
}

/* A common option takes effect here, one of the verb's own is kept. */
static int take(struct command_call *c, const struct command_option *o, const char *value,
		struct err *e)
{
	switch (o >= common && o < common + COMMON ? o - common : COMMON) {
	case HOST: c->host = value; return 0;
	case CONTEXT: c->context = value; return 0;
	case OUTPUT: c->form = value; return 0;
	case JSON: c->form = output_table[OUTPUT_JSON].word; return 0;
	case VERBOSE: c->is_verbose = true; return 0;
	case HELP: c->wants_help = true; return 0;
	default: break;
	}
	if (c->n_given == COMMAND_GIVEN)
		return err_set(e, USAGE, "more than %d options", COMMAND_GIVEN);
	c->given[c->n_given].option = o;
	c->given[c->n_given++].value = value;
	return 0;
}

static int read_option(struct command_call *c, char *const *word, int n, int *i, struct err *e)
{
	const char *w = word[*i], *equals = strchr(w, '=');
	size_t length = equals ? (size_t)(equals - w) : strlen(w);
	const struct command_option *o = command_option(c->command, w, length);
	const char *value = equals ? equals + 1 : "";

	if (!o)
		return unknown_option(c->command, w, e);
	if (!o->argument && equals)
		return err_set(e, USAGE, "%s takes no value", o->name);
	if (o->argument && !equals) {
		if (*i + 1 >= n)
			return err_set(e, USAGE, "%s needs a value: %s %s", o->name, o->name,
				       o->argument);
		value = word[++*i];
	}
	return take(c, o, value, e);
}

int command_parse(struct command_call *c, char *const *word, int n, struct err *e)
{
	unsigned least, most, given = 0;
	bool only_arguments = false;

	count_arguments(c->command, &least, &most);
	for (int i = 0; i < n; i++) {
		if (!only_arguments && !strcmp(word[i], "--")) {
			only_arguments = true;
		} else if (!only_arguments && word[i][0] == '-' && word[i][1]) {
			if (read_option(c, word, n, &i, e) < 0)
				return -1;
		} else if (given == most) {
			return err_set(e, USAGE, "'%s' is one argument too many: qvmadm %s%s%s",
				       word[i], c->command->name, most ? " " : "",
				       c->command->arguments);
		} else {
			c->argument[given++] = word[i];
		}
	}
	if (c->form && output_read(c->form, c->command->name, c->command->forms, &c->output, e) < 0)
		return -1;
	c->as_json = c->output == OUTPUT_JSON;
	if (given < least && !c->wants_help)
		return err_set(e, USAGE, "'%s' needs more: qvmadm %s %s", c->command->name,
			       c->command->name, c->command->arguments);
	return 0;
}

const char *command_value(const struct command_call *c, const char *option)
{
	for (unsigned i = c->n_given; i--;)
		if (!strcmp(c->given[i].option->name, option))
			return c->given[i].value;
	return NULL;
}

int command_number(const struct command_call *c, const char *option, long least, long most,
		   long otherwise, long *ret, struct err *e)
{
	const char *text = command_value(c, option);
	char *end;
	long n = text ? strtol(text, &end, 10) : otherwise;

	if (text && (!*text || *end || n < least || n > most))
		return err_set(e, USAGE, "%s '%s' is not a number from %ld to %ld", option, text,
			       least, most);
	*ret = n;
	return 0;
}

unsigned command_width(const struct command_call *c)
{
	return c->output == OUTPUT_WIDE ? 0 : term_width(stdout);
}

int command_check_vm(const char *name, struct err *e)
{
	if (name_is_valid(name))
		return 0;
	return err_set(
		e, USAGE,
		"'%.80s%s' cannot be the name of a VM: up to 63 of a-z 0-9 . _ -, the first a "
		"letter or digit",
		name, strlen(name) > 80 ? "..." : "");
}

const char *command_vm(const struct command_call *c, int *ret_status)
{
	struct err e;

	if (command_check_vm(c->argument[0], &e) == 0)
		return c->argument[0];
	*ret_status = problem_local(&e, c->as_json);
	return NULL;
}

/* The VM whose name is nearest to one that is none; nothing when it is one, and lacks something. */
static void suggest_vm(struct command_call *c, const char *name)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_HTTP struct http *http = NULL; /* we may be inside a sink of the other one */
	AUTO_JSON json_t *list = NULL;
	struct str_near other = str_near(name);
	json_t *vm;
	struct err unused; /* what went wrong has been said */
	size_t i;

	if (http_again(c->http, &http, &unused) < 0 ||
	    http_call(http, &(struct http_request){.op = OP_vm_list}, &r, &unused) < 0 ||
	    !http_is_success(&r) || field_parse(r.body, r.body_bytes, &list, &unused) < 0)
		return;
	json_array_foreach (field_list(list, "vms"), i, vm)
		if (str_try(&other, field_text(vm, "name")) == 0)
			return;
	if (other.near && strlen(name) > 1) /* any letter is one edit from any other */
		problem_line("did you mean", other.near);
}

int command_refused(struct command_call *c, const struct http_request *q,
		    const struct http_response *r)
{
	int status = problem_answer(r, NULL, c->as_json);

	if (r->status == 404 && !c->as_json && strstr(op_table[q->op].path, "{vm}"))
		suggest_vm(c, q->param);
	return status;
}

int command_ask(struct command_call *c, const struct http_request *q, struct http_response *ret,
		int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	struct err e;

	if (http_call(c->http, q, &r, &e) < 0) {
		*ret_status = problem_local(&e, c->as_json);
		return -1;
	}
	if (!http_is_success(&r)) {
		*ret_status = command_refused(c, q, &r);
		return -1;
	}
	*ret = r;
	r = (struct http_response){0};
	return 0;
}

json_t *command_read(struct command_call *c, const struct http_request *q, int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	json_t *object = NULL;
	struct err e;

	if (command_ask(c, q, &r, ret_status) < 0)
		return NULL;
	*ret_status = 0;
	if (c->as_json)
		field_print(r.body, r.body_bytes);
	else if (field_parse(r.body, r.body_bytes, &object, &e) < 0)
		*ret_status = problem_local(&e, false);
	return object;
}
