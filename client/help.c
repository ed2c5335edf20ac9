/* SPDX-License-Identifier: Apache-2.0 */
#include "client/help.h"

#include <string.h>

#include "client/command.h"
#include "client/show/prose.h"
#include "client/show/term.h"
#include "client/topic.h"

static const struct command overview = {.name = "qvmadm", .arguments = "", .forms = ~0U};

const struct command *help_overview_command(void)
{
	return &overview;
}

enum { TERM_COLUMNS = 24 };

/* A term, and what it is, at a column of its own. */
static void print_row(FILE *f, const char *term, const char *what)
{
	size_t n = strlen(term);

	fprintf(f, "  %-*s ", TERM_COLUMNS, term);
	prose_print(f, what, strlen(what), (n < TERM_COLUMNS ? TERM_COLUMNS : (unsigned)n) + 3,
		    TERM_COLUMNS + 3);
}

static void print_options(FILE *f, const struct command_option *o)
{
	for (; o && o->name; o++) {
		char form[64];

		snprintf(form, sizeof form, "%s%s%s%s%s", o->letter ? o->letter : "",
			 o->letter ? ", " : "", o->name, o->argument ? " " : "",
			 o->argument ? o->argument : "");
		print_row(f, form, o->what);
	}
}

static void print_title(FILE *f, const char *title)
{
	fprintf(f, "\n%s%s%s\n", term_on(f, TERM_BOLD), title, term_off(f, TERM_BOLD));
}

const char *help_examples(const struct command *c)
{
	const char *last = c->help;

	for (const char *p = c->help; (p = strstr(p, "\n\n")); p += 2)
		last = p + 2;
	return last;
}

void help_overview(FILE *f)
{
	static const char *const title[COMMAND_GROUPS] = {
		[COMMAND_SETUP] = "Define",
		[COMMAND_ACT] = "Act",
		[COMMAND_LOOK] = "Look",
		[COMMAND_HELP] = "Help",
	};
	const struct command *previous = NULL;
	unsigned state = 0;

	fprintf(f, "qvmadm [OPTION]... VERB ...: virtual machines with design safe states\n");
	for (const struct command *c; (c = command_next(&state)); previous = c) {
		char form[64];

		if (!previous || previous->group != c->group)
			print_title(f, title[c->group]);
		snprintf(form, sizeof form, "%s %s", c->name, c->arguments);
		print_row(f, strlen(form) < TERM_COLUMNS ? form : c->name, command_summary(c));
	}
	print_title(f, "Options of every verb");
	print_options(f, command_common());
	print_title(f, "Topics of help");
	for (const struct topic *t = topic_table; t->name; t++)
		print_row(f, t->name, t->summary);
	fprintf(f, "\nThe way of a VM:  check FILE, define VM FILE, start VM, console VM, list.\n"
		   "When one is safe: incidents VM tells why, start VM or release VM ends it.\n"
		   "Tab completes, with the names of your VMs: qvmadm completion --help\n");
}

void help_command(FILE *f, const struct command *c)
{
	const char *examples = help_examples(c);
	char forms[64], summary[256];

	fprintf(f, "%sqvmadm %s%s%s%s%s\n", term_on(f, TERM_BOLD), c->name,
		*c->arguments ? " " : "", c->arguments, c->options ? " [OPTION]..." : "",
		term_off(f, TERM_BOLD));
	snprintf(summary, sizeof summary, "%s.\n\n", command_summary(c));
	prose_print(f, summary, strlen(summary), 0, 0);
	prose_print(f, c->help, (size_t)(examples - 1 - c->help), 0, 0);
	print_title(f, "Examples");
	fprintf(f, "%s\n", examples);
	if (c->options) {
		print_title(f, "Options");
		print_options(f, c->options);
	}
	if (c->print_more)
		c->print_more(f);
	if (c->statuses)
		print_title(f, "Exit status");
	for (const struct command_status *s = c->statuses; s && s->status; s++) {
		char term[8];

		snprintf(term, sizeof term, "%d", s->status);
		print_row(f, term, s->what);
	}
	print_title(f, "Options of every verb");
	print_options(f, command_common());
	output_list(c->forms, forms, sizeof forms);
	snprintf(summary, sizeof summary,
		 "FORM is %s here. The exit status is 0, %sor that of the error: qvmadm help "
		 "exit-status",
		 forms, c->statuses ? "one of these, " : "");
	fputc('\n', f);
	prose_print(f, summary, strlen(summary), 0, 0);
	if (c->alias)
		fprintf(f, "`qvmadm %s` is the same.\n", c->alias);
}

void help_topic(FILE *f, const struct topic *t)
{
	fprintf(f, "%s%s.%s\n\n", term_on(f, TERM_BOLD), t->summary, term_off(f, TERM_BOLD));
	if (t->text) {
		prose_print(f, t->text, strlen(t->text), 0, 0);
		fputc('\n', f);
	}
	t->print(f, print_row);
}
