/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/layers.h"
#include "client/show/term.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static void print_row(const char *name, const char *text)
{
	printf("%s%-24s%s %s\n", term_on(stdout, TERM_DIM), name, term_off(stdout, TERM_DIM), text);
}

/* A fact is text; the unit of a number stands at the end of its name. */
static void print_fact(const char *name, const char *value)
{
	char iso[CLOCK_ISO], local[AGE_TEXT], text[64];
	int64_t n = strtoll(value, NULL, 10);

	if (ends_with(name, "_bytes")) {
		snprintf(text, sizeof text, "%.4g GiB", (double)n / (1 << 30));
		print_row(name, text);
	} else if (ends_with(name, "_ms")) {
		print_row(name, age_local(clock_iso(n, iso), local));
	} else {
		print_row(name, *value ? value : "-");
	}
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *host = NULL;
	const char *name;
	json_t *fact;
	struct err e;
	int status;

	if (command_ask(c, &(struct http_request){.op = OP_host_show}, &r, &status) < 0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	if (field_parse(r.body, r.body_bytes, &host, &e) < 0)
		return problem_local(&e, false);
	print_row("server", http_host(c->http));
	print_row("version", field_word(host, "version"));
	json_object_foreach (json_object_get(host, "facts"), name, fact)
		print_fact(name, json_is_string(fact) ? json_string_value(fact) : "");
	printf("%s%-24s%s ", term_on(stdout, TERM_DIM), "sandbox of the API",
	       term_off(stdout, TERM_DIM));
	layers_print(json_object_get(host, "api"));
	return 0;
}

static const struct command host = {
	.name = "host",
	.group = COMMAND_LOOK,
	.arguments = "",
	.op = OP_host_show,
	.help = "The version of the server, what it found out about its host, and what of the "
		"sandboxes this\n"
		"kernel does not offer.\n\n"
		"  qvmadm host\n"
		"  qvmadm -H unix:/run/qvm/api.sock host",
	.run = run,
};

COMMAND_REGISTER(host);
