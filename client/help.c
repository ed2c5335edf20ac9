/* SPDX-License-Identifier: Apache-2.0 */
#include "client/help.h"

#include <string.h>

#include "client/command.h"
#include "client/show/term.h"

static const struct command overview = {.name = "qvmadm", .arguments = "", .forms = ~0U};

const struct command *help_overview_command(void)
{
	return &overview;
}

static void print_options(FILE *f, const struct command_option *o)
{
	for (; o && o->name; o++) {
		char form[64];

		snprintf(form, sizeof form, "%s%s%s%s%s", o->letter ? o->letter : "",
			 o->letter ? ", " : "", o->name, o->argument ? " " : "",
			 o->argument ? o->argument : "");
		fprintf(f, "  %-24s %s\n", form, o->what);
	}
}

static void print_title(FILE *f, const char *title)
{
	fprintf(f, "\n%s%s%s\n", term_on(f, TERM_BOLD), title, term_off(f, TERM_BOLD));
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

	fprintf(f,
		"qvmadm [-H HOST] [--json] VERB ...: virtual machines with design safe states\n");
	for (const struct command *c; (c = command_next(&state)); previous = c) {
		char form[64];

		if (!previous || previous->group != c->group)
			print_title(f, title[c->group]);
		snprintf(form, sizeof form, "%s %s", c->name, c->arguments);
		fprintf(f, "  %-24s %s\n", form, command_summary(c));
	}
	print_title(f, "Options of every verb");
	print_options(f, command_common());
	fprintf(f, "\nThe way of a VM:  check FILE, define VM FILE, start VM, console VM, list.\n"
		   "When one is safe: incidents VM tells why, start VM or release VM ends it.\n");
}

void help_command(FILE *f, const struct command *c)
{
	fprintf(f, "%sqvmadm %s%s%s%s%s\n%s.\n", term_on(f, TERM_BOLD), c->name,
		*c->arguments ? " " : "", c->arguments, c->options ? " [OPTION]..." : "",
		term_off(f, TERM_BOLD), command_summary(c));
	fprintf(f, "\n%s\n", c->help);
	if (c->options) {
		print_title(f, "Options");
		print_options(f, c->options);
	}
	if (c->print_more)
		c->print_more(f);
	print_title(f, "Options of every verb");
	print_options(f, command_common());
}
