/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "client/choice.h"
#include "client/command.h"
#include "client/contexts.h"
#include "client/output.h"
#include "client/show/field.h"
#include "client/topic.h"
#include "schemas/cause.h"
#include "schemas/journal.h"
#include "schemas/lifecycle.h"
#include "schemas/policy.h"

enum { PATIENCE_MS = 2000, LINE = 200 }; /* a person waits at the tab key */

/* What is typed so far. */
struct typed {
	const struct command *verb;	    /* NULL = none yet */
	const struct command_option *wants; /* the option whose value is being typed; NULL = none */
	unsigned n_arguments;		    /* before the present word */
	const char *first;		    /* of them; NULL = none */
	const char *host, *context;	    /* -H, --context; NULL = none */
};

static const struct command *find_verb(const char *name)
{
	const struct command *c;
	struct err unused;

	return command_find(name, &c, &unused) == 0 ? c : NULL;
}

static struct typed read_words(char *const *word, unsigned n)
{
	struct typed t = {0};

	for (unsigned i = 0; i + 1 < n; i++) {
		const struct command_option *o = command_option(t.verb, word[i], strlen(word[i]));

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
			t.first = t.first ? t.first : word[i];
			t.n_arguments++;
		}
	}
	return t;
}

/* One that fits: with --describe what it is, behind a tab. */
static void offer(const struct command_call *c, const char *word, const char *what)
{
	if (command_value(c, "--describe") && what && *what)
		printf("%s\t%.*s\n", word, LINE, what);
	else
		printf("%s\n", word);
}

/* Objects that the server has: a member of each, and another that tells of it. Who completes is not
 * told what went wrong. */
static void offer_objects(const struct command_call *c, const struct typed *t, enum op_id op,
			  const char *list, const char *member, const char *tells)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_HTTP struct http *http = NULL;
	AUTO_JSON json_t *all = NULL;
	struct http_request q = {.op = op, .param = t->first, .timeout_ms = PATIENCE_MS};
	json_t *x;
	struct err e;
	size_t i;

	if (choice_open(t->host, t->context, &http, &e) < 0 || http_call(http, &q, &r, &e) < 0 ||
	    !http_is_success(&r) || field_parse(r.body, r.body_bytes, &all, &e) < 0)
		return;
	json_array_foreach (field_list(all, list), i, x) {
		char number[24];

		snprintf(number, sizeof number, "%" PRId64, field_number(x, member, 0));
		offer(c, *field_text(x, member) ? field_text(x, member) : number,
		      field_text(x, tells));
	}
}

static void offer_vms(const struct command_call *c, const struct typed *t)
{
	offer_objects(c, t, OP_vm_list, "vms", "name", "observed");
}

static void offer_verbs(const struct command_call *c, const struct typed *t)
{
	unsigned state = 0;

	(void)t;
	for (const struct command *v; (v = command_next(&state));)
		offer(c, v->name, command_summary(v));
}

static void offer_topics(const struct command_call *c, const struct typed *t)
{
	offer_verbs(c, t);
	for (const struct topic *topic = topic_table; topic->name; topic++)
		offer(c, topic->name, topic->summary);
}

static void offer_contexts(const struct command_call *c, const struct typed *t)
{
	AUTO_CONTEXTS struct contexts *all = NULL;
	struct err unused;

	(void)t;
	if (contexts_read(&all, &unused) == 0)
		for (unsigned i = 0; i < all->n; i++)
			offer(c, all->list[i].name, all->list[i].field[CONTEXT_HOST]);
}

/* NAME is of what the verb names. */
static void offer_names(const struct command_call *c, const struct typed *t)
{
	if (!t->wants && !strcmp(t->verb->name, "token")) {
		if (t->first && !strcmp(t->first, "delete"))
			offer_objects(c, t, OP_token_list, "tokens", "name", "role");
	} else if (t->wants || !t->first || strcmp(t->first, "add") != 0) {
		offer_contexts(c, t);
	}
}

static void offer_hosts(const struct command_call *c, const struct typed *t)
{
	(void)t;
	offer(c, "unix:/", "a socket of this host");
	offer(c, "https://", "another host, by TLS");
}

static void offer_forms(const struct command_call *c, const struct typed *t)
{
	unsigned forms = t->verb ? t->verb->forms : ~0U;

	for (unsigned f = 0; f < OUTPUT_FORMS; f++)
		if (output_has(forms, f))
			offer(c, output_table[f].word, output_table[f].what);
}

static void offer_observed(const struct command_call *c, const struct typed *t)
{
	(void)t;
	for (unsigned i = 0; i < OBSERVED_COUNT; i++)
		offer(c, observed_id(i), NULL);
}

static void offer_health(const struct command_call *c, const struct typed *t)
{
	(void)t;
	for (unsigned i = 0; i < HEALTH_COUNT; i++)
		offer(c, health_id(i), NULL);
}

static void offer_kinds(const struct command_call *c, const struct typed *t)
{
	(void)t;
	for (unsigned k = 0; k < JOURNAL_COUNT; k++)
		offer(c, journal_table[k].id, journal_table[k].what);
}

static void offer_pair(const struct command_call *c, const char *key, const char *value,
		       const char *what)
{
	char word[64];

	snprintf(word, sizeof word, "%s=%s", key, value);
	offer(c, word, what);
}

static void offer_events(const struct command_call *c, const char *key)
{
	for (unsigned k = 0; k < JOURNAL_COUNT; k++)
		offer_pair(c, key, journal_table[k].id, journal_table[k].what);
}

static void offer_causes(const struct command_call *c)
{
	for (unsigned i = 0; i < CAUSE_COUNT; i++)
		offer_pair(c, "cause", cause_id(i), cause_sentence(i));
}

static void offer_conditions(const struct command_call *c, const struct typed *t)
{
	(void)t;
	for (unsigned i = 0; i < OBSERVED_COUNT; i++)
		offer_pair(c, "state", observed_id(i), NULL);
	for (unsigned i = 0; i < HEALTH_COUNT; i++)
		offer_pair(c, "health", health_id(i), NULL);
	offer_events(c, "event");
	offer_causes(c);
	offer(c, "operation", "the end of what is under way");
	offer(c, "gone", "it is deleted");
}

static void offer_filters(const struct command_call *c, const struct typed *t)
{
	(void)t;
	for (unsigned i = 0; i < JOURNAL_SEVERITIES; i++)
		offer_pair(c, "severity", journal_severity[i].id, NULL);
	offer_events(c, "kind");
	offer_causes(c);
	offer_pair(c, "vm", "", "of one VM");
}

static void offer_fields(const struct command_call *c, const struct typed *t)
{
	(void)t;
	for (unsigned i = 0; i < policy_n_fields; i++)
		offer_pair(c, policy_fields[i].name, "", policy_fields[i].what);
}

static void offer_incidents(const struct command_call *c, const struct typed *t)
{
	if (t->verb && !strcmp(t->verb->name, "incidents") && t->first)
		offer_objects(c, t, OP_vm_incidents, "incidents", "id", "cause");
}

static void offer_revisions(const struct command_call *c, const struct typed *t)
{
	if (t->first)
		offer_objects(c, t, OP_vm_revisions, "revisions", "revision", "created");
}

/* What stands for a value in the help, and what it can be; "a|b" is itself. What is not here prints
 * nothing: of FILE the shell knows more. */
static const struct {
	const char *word;
	void (*offer)(const struct command_call *c, const struct typed *t);
} values[] = {
	{"VM", offer_vms},
	{"VM...", offer_vms},
	{"VERB", offer_verbs},
	{"VERB|TOPIC", offer_topics},
	{"NAME", offer_names},
	{"HOST", offer_hosts},
	{"URL", offer_hosts},
	{"FORM", offer_forms},
	{"STATE", offer_observed},
	{"HEALTH", offer_health},
	{"KIND", offer_kinds},
	{"WHAT", offer_conditions},
	{"FILTER", offer_filters},
	{"FIELD=VALUE", offer_fields},
	{"FIELD=VALUE...", offer_fields},
	{"REVISION", offer_revisions},
	{"N[..M]", offer_revisions},
	{"N", offer_incidents},
};

static void offer_values(const struct command_call *c, const struct typed *t, const char *form,
			 size_t n)
{
	for (size_t i = 0; i < NELEMS(values); i++)
		if (strlen(values[i].word) == n && !strncmp(values[i].word, form, n)) {
			values[i].offer(c, t);
			return;
		}
	for (const char *end = form + n; form < end && form[0] >= 'a';) {
		char word[32];
		size_t length = strcspn(form, "| ]");

		snprintf(word, sizeof word, "%.*s", (int)length, form);
		offer(c, word, NULL);
		form += length + 1;
	}
}

static void offer_options(const struct command_call *c, const struct command_option *o)
{
	for (; o && o->name; o++)
		offer(c, o->name, o->what);
}

/* The form of the n-th argument; the last one repeats. */
static const char *argument_form(const struct command *verb, unsigned n)
{
	const char *form = verb->arguments;

	for (; n && *form; n--) {
		const char *next = form + strcspn(form, " ");

		if (next - form > 3 && !strncmp(next - 3, "...", 3))
			return form;
		form = next + (*next == ' ');
	}
	return form;
}

static int run(struct command_call *c)
{
	const char *form;
	unsigned n = 0;
	struct typed t;

	while (n < COMMAND_ARGUMENTS && c->argument[n])
		n++;
	t = read_words((char *const *)c->argument, n);
	if (t.wants) {
		offer_values(c, &t, t.wants->argument, strlen(t.wants->argument));
	} else if (n && c->argument[n - 1][0] == '-') {
		offer_options(c, t.verb ? t.verb->options : NULL);
		offer_options(c, command_common());
	} else if (!t.verb) {
		offer_verbs(c, &t);
	} else {
		form = argument_form(t.verb, t.n_arguments);
		form += *form == '[';
		offer_values(c, &t, form, strcspn(form, " ]"));
	}
	return 0;
}

static const struct command_option options[] = {
	{"--describe", NULL, NULL, "and what it is, behind a tab"},
	{0},
};

static const struct command complete = {
	.name = "complete",
	.group = COMMAND_HELP,
	.arguments = "[WORD]...",
	.summary = "What could stand in place of the last WORD, for the shell's completion",
	.is_local = true,
	.help = "The words are those after `qvmadm`, the last one perhaps empty. What `qvmadm "
		"completion` "
		"prints calls it.\n\n"
		"  qvmadm complete -- start ''\n"
		"  qvmadm complete --describe -- define brake brake.qvmconf --policy ''",
	.options = options,
	.run = run,
};

COMMAND_REGISTER(complete);
