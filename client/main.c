/* SPDX-License-Identifier: Apache-2.0 */
/* qvmadm - the administrator's client. It talks HTTP to qvm-api, and to nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

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
	return problem_local(&e, false);
}

static int run(struct command_call *c, const char *host)
{
	AUTO_HTTP struct http *http = NULL;
	struct err e;

	if (http_open(host, &http, &e) < 0)
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
	const char *host = NULL, *verb;
	bool help = false;
	struct err e;
	int n = 1;

	term_open();
	while (n < argc && argv[n][0] == '-' && strcmp(argv[n], "--version") != 0) {
		int taken = !strcmp(argv[n], "-H") || !strcmp(argv[n], "--host") ? 2 : 1;

		if (command_parse(&call, argv + n, n + taken <= argc ? taken : 1, &host, &help,
				  &e) < 0)
			return problem_local(&e, false);
		n += taken;
	}
	if (n < argc && !strcmp(argv[n], "--version")) {
		printf("qvmadm %s\n", QVM_VERSION);
		return finish(0);
	}
	if (n >= argc) {
		help_overview(help ? stdout : stderr);
		return finish(help ? 0 : err_exit(ERR_USAGE));
	}
	verb = argv[n++];
	if (command_find(verb, &call.command, &e) < 0 ||
	    command_parse(&call, argv + n, argc - n, &host, &help, &e) < 0)
		return problem_local(&e, call.as_json);
	if (help) {
		help_command(stdout, call.command);
		return finish(0);
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	n = run(&call, host);
	curl_global_cleanup();
	return finish(n);
}
