/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "client/choice.h"
#include "client/command.h"
#include "client/show/field.h"
#include "schemas/journal.h"
#include "schemas/lifecycle.h"
#include "schemas/policy.h"

enum { PATIENCE_MS = 2000 }; /* a person waits at the tab key */

/* What is typed so far. */
struct typed {
	const struct command *verb;	    /* NULL = none yet */
	const struct command_option *wants; /* the option whose value is being typed; NULL = none */
	unsigned n_arguments;		    /* before the present word */
	const char *host, *context;	    /* -H, --context; NULL = none */
};

static const struct command *find_verb(const char *name)
{
	const struct command *c;
	struct err unused;

	return command_find(name, &c, &unused) == 0 ? c : NULL;
}

static const struct command_option *find_option(const struct command *verb, const char *word)
{
	const struct command_option *lists[] = {verb ? verb->options : NULL, command_common()};

	for (size_t i = 0; i < 2; i++)
		for (const struct command_option *o = lists[i]; o && o->name; o++)
			if (!strcmp(o->name, word) || (o->letter && !strcmp(o->letter, word)))
				return o;
	return NULL;
}

static struct typed read_words(char *const *word, unsigned n)
{
	struct typed t = {0};

	for (unsigned i = 0; i + 1 < n; i++) {
		const struct command_option *o = find_option(t.verb, word[i]);

		if (o && o->argument) {
			t.wants = i + 2 == n ? o : NULL;
			if (!strcmp(o->name, "--host"))
				t.host = word[i + 1];
			if (!strcmp(o->name, "--context"))
				t.context = word[i + 1];
			i++;
		} else if (word[i][0] != '-' && !t.verb) {
			t.verb = find_verb(word[i]);
		} else if (word[i][0] != '-') {
			t.n_arguments++;
		}
	}
	return t;
}

static void print_vms(const struct typed *t)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_HTTP struct http *http = NULL;
	AUTO_JSON json_t *list = NULL;
	struct http_request q = {.op = OP_vm_list, .timeout_ms = PATIENCE_MS};
	json_t *vm;
	struct err e; /* who completes is not told what went wrong */
	size_t i;

	if (choice_open(t->host, t->context, &http, &e) < 0 || http_call(http, &q, &r, &e) < 0 ||
	    !http_is_success(&r) || field_parse(r.body, r.body_bytes, &list, &e) < 0)
		return;
	json_array_foreach (field_list(list, "vms"), i, vm)
		printf("%s\n", field_text(vm, "name"));
}

static void print_verbs(void)
{
	unsigned state = 0;

	for (const struct command *c; (c = command_next(&state));)
		printf("%s\n", c->name);
}

static void print_options(const struct command_option *o)
{
	for (; o && o->name; o++)
		printf("%s\n", o->name);
}

static void print_conditions(void)
{
	for (unsigned i = 0; i < OBSERVED_COUNT; i++)
		printf("state=%s\n", observed_id(i));
	for (unsigned i = 0; i < HEALTH_COUNT; i++)
		printf("health=%s\n", health_id(i));
	puts("cause=\ndesired=\nevent=\noperation\ngone");
}

/* By the word that stands for the value in the help. FILE prints nothing: the shell knows files. */
static void print_values(const struct typed *t, const char *form, size_t n)
{
	if (!strncmp(form, "VM", n))
		print_vms(t);
	else if (!strncmp(form, "VERB", n))
		print_verbs();
	else if (!strncmp(form, "HOST", n))
		puts("unix:/\nhttps://");
	else if (!strncmp(form, "FORM", n))
		puts("wide\nname\njson");
	else if (!strncmp(form, "WHAT", n))
		print_conditions();
	else if (!strncmp(form, "KIND", n))
		for (unsigned k = 0; k < JOURNAL_COUNT; k++)
			printf("%s\n", journal_table[k].id);
	else if (!strncmp(form, "FIELD=VALUE", n) || !strncmp(form, "FIELD=VALUE...", n))
		for (unsigned i = 0; i < policy_n_fields; i++)
			printf("%s=\n", policy_fields[i].name);
}

static int run(struct command_call *c)
{
	unsigned n = 0;
	const char *form;
	struct typed t;

	while (n < COMMAND_ARGUMENTS && c->argument[n])
		n++;
	t = read_words((char *const *)c->argument, n);
	if (t.wants) {
		print_values(&t, t.wants->argument, strlen(t.wants->argument));
	} else if (n && c->argument[n - 1][0] == '-') {
		print_options(t.verb ? t.verb->options : NULL);
		print_options(command_common());
	} else if (!t.verb) {
		print_verbs();
	} else {
		for (form = t.verb->arguments; t.n_arguments && *form; t.n_arguments--)
			form += strcspn(form, " "), form += *form == ' ';
		form += *form == '[';
		if (*form)
			print_values(&t, form, strcspn(form, " ]"));
	}
	return 0;
}

static const struct command complete = {
	.name = "complete",
	.group = COMMAND_HELP,
	.arguments = "[WORD]...",
	.summary = "What could stand in place of the last WORD, for the shell's completion",
	.help = "The words are those after `qvmadm`, the last one perhaps empty. bash calls it "
		"through\n"
		"packaging/completions/qvmadm.\n\n"
		"  qvmadm complete -- start ''\n"
		"  qvmadm complete -- define brake brake.qvmconf --policy ''",
	.is_local = true,
	.run = run,
};

COMMAND_REGISTER(complete);
