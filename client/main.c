/* SPDX-License-Identifier: Apache-2.0 */
/* qvmadm - the administrator's client. It talks HTTP to qvm-api, and to nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "client/choice.h"
#include "client/command.h"
#include "client/help.h"
#include "client/show/problem.h"
#include "client/show/term.h"

/* The last word of the output may be the one that did not fit on the disk. */
static int finish(int status)
{
	struct err e;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	err_sys(&e, RESOURCE, "write the output");
	return problem_local_with(&e, "see where stdout leads: a full disk, or nowhere", false);
}

static int run(struct command_call *c)
{
	AUTO_HTTP struct http *http = NULL;
	struct err e;

	if (c->command->is_local)
		return c->command->run(c);
	if (choice_open(c->host, c->context, &http, &e) < 0)
		return problem_local(&e, c->as_json);
	c->http = http;
	if (c->is_verbose)
		http_explain(http);
	return c->command->run(c);
}

int main(int argc, char **argv)
{
	/* Before the verb only the common options are known: the overview's. */
	struct command_call call = {.command = help_overview_command()};
	struct err e;
	int n = 1;

	term_open();
	while (n < argc && argv[n][0] == '-' && strcmp(argv[n], "--version") != 0) {
		const struct command_option *o =
			command_option(call.command, argv[n], strlen(argv[n]));
		int taken = o && o->argument && n + 1 < argc ? 2 : 1;

		if (command_parse(&call, argv + n, taken, &e) < 0)
			return problem_local(&e, call.as_json);
		n += taken;
	}
	if (n < argc && !strcmp(argv[n], "--version")) {
		printf("qvmadm %s\n", QVM_VERSION);
		return finish(0);
	}
	if (n >= argc) {
		help_overview(call.wants_help ? stdout : stderr);
		return finish(call.wants_help ? 0 : err_exit(ERR_USAGE));
	}
	if (command_find(argv[n++], &call.command, &e) < 0 ||
	    (problem_verb(call.command->name), command_parse(&call, argv + n, argc - n, &e) < 0))
		return problem_local(&e, call.as_json);
	if (call.wants_help) {
		help_command(stdout, call.command);
		return finish(0);
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	n = run(&call);
	curl_global_cleanup();
	return finish(n);
}
