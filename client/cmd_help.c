/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "client/command.h"
#include "client/help.h"
#include "client/man.h"
#include "client/show/problem.h"
#include "client/topic.h"

static int run(struct command_call *c)
{
	const struct command *of;
	struct err e;

	if (command_value(c, "--man")) {
		man_print(stdout);
		return 0;
	}
	if (!c->argument[0]) {
		help_overview(stdout);
		return 0;
	}
	if (topic_find(c->argument[0])) {
		help_topic(stdout, topic_find(c->argument[0]));
		return 0;
	}
	if (command_find(c->argument[0], &of, &e) < 0) {
		const struct topic *near = topic_near(c->argument[0]);

		if (near)
			err_set(&e, USAGE, "there is no verb or topic '%s'; did you mean '%s'?",
				c->argument[0], near->name);
		return problem_local_with(&e, "qvmadm help lists verbs and topics", c->as_json);
	}
	help_command(stdout, of);
	return 0;
}

static const struct command_option options[] = {
	{"--man", NULL, NULL, "all of it as the manual page qvmadm(1)"},
	{0},
};

static const struct command help = {
	.name = "help",
	.group = COMMAND_HELP,
	.arguments = "[VERB|TOPIC]",
	.summary = "What a verb does, with examples; what concerns all of them",
	.help = "Without VERB, all verbs and topics in a line each.\n\n"
		"  qvmadm help wait\n"
		"  qvmadm help exit-status",
	.options = options,
	.is_local = true,
	.run = run,
};

COMMAND_REGISTER(help);
