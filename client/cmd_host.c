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

static void print_state(const json_t *host)
{
	bool is_safe = !strcmp(field_word(host, "state"), "safe");
	char local[AGE_TEXT];

	printf("%s%-24s%s %s%s%s\n", term_on(stdout, TERM_DIM), "state", term_off(stdout, TERM_DIM),
	       term_on(stdout, is_safe ? TERM_BAD : TERM_GOOD), field_word(host, "state"),
	       term_off(stdout, TERM_BAD));
	if (!is_safe)
		return;
	print_row("why", field_text(host, "why"));
	print_row("since", age_local(field_text(host, "since"), local));
	print_row("", "no VM is started until `qvmadm host release`");
}

static int release(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	int status;

	if (command_ask(c, &(struct http_request){.op = OP_host_release}, &r, &status) < 0)
		return status;
	if (!c->as_json)
		printf("The host is not in its safe state: VMs may start.\n");
	return 0;
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *host = NULL;
	const char *name;
	json_t *fact;
	struct err e;
	int status;

	if (c->argument[0] && strcmp(c->argument[0], "release") != 0) {
		err_set(&e, USAGE,
			"'%s' is nothing to be done with a host; it is release, or "
			"nothing to look at it",
			c->argument[0]);
		return problem_local(&e, c->as_json);
	}
	if (c->argument[0])
		return release(c);
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
	print_state(host);
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
	.arguments = "[release]",
	.op = OP_host_show,
	.help = "The version of the server, what it found out about its host, and what of the "
		"sandboxes this\n"
		"kernel does not offer. `release` leaves the safe state of the host, which starts "
		"no VM, "
		"once what\nhad given way holds again.\n\n"
		"  qvmadm host\n"
		"  qvmadm host release\n"
		"  qvmadm -H unix:/run/qvm/api.sock host",
	.run = run,
};

COMMAND_REGISTER(host);
