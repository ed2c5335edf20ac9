/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "client/command.h"
#include "client/show/field.h"
#include "client/show/finding.h"
#include "client/show/problem.h"
#include "client/source.h"

static void print_memory(const char *label, int64_t bytes)
{
	if (bytes > 0)
		printf(", %.4g MiB of %s", (double)bytes / (1 << 20), label);
}

static void print_plan(const char *name, const json_t *plan)
{
	int64_t n_vcpus = field_number(plan, "vcpus", 0);

	printf("%s: sound", name);
	if (n_vcpus)
		printf(": %" PRId64 " vCPU%s", n_vcpus, n_vcpus == 1 ? "" : "s");
	print_memory("RAM", field_number(plan, "ram_bytes", 0));
	print_memory("ROM", field_number(plan, "rom_bytes", 0));
	putchar('\n');
}

/* The files of the host that a start will ask for. */
static void print_wants(const json_t *plan)
{
	json_t *want;
	size_t i;

	json_array_foreach (field_list(plan, "wants"), i, want) {
		int64_t line = field_number(want, "line", 0);

		if (*field_text(want, "path") && line)
			printf("  line %" PRId64 ": %s needs %s '%s'\n", line,
			       field_word(want, "option"), field_text(want, "kind"),
			       field_text(want, "path"));
	}
}

static int tell(const struct http_response *r, const struct source *s, bool as_json)
{
	AUTO_JSON json_t *answer = NULL;
	struct err e;
	bool is_valid;

	if (field_parse(r->body, r->body_bytes, &answer, &e) < 0)
		return problem_local(&e, as_json);
	is_valid = field_true(answer, "valid");
	if (as_json) {
		field_print(r->body, r->body_bytes);
	} else {
		finding_print(stderr, answer, s);
		if (is_valid) {
			print_plan(s->name, json_object_get(answer, "plan"));
			print_wants(json_object_get(answer, "plan"));
		}
	}
	return is_valid ? 0 : err_exit(ERR_CONFIG);
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_SOURCE struct source s = {0};
	struct err e;
	int status;

	if (source_read(c->argument[0], &s, &e) < 0)
		return problem_local(&e, c->as_json);
	if (source_check(c, &s, &r, &status) < 0)
		return status;
	return tell(&r, &s, c->as_json);
}

static const struct command check = {
	.name = "check",
	.group = COMMAND_SETUP,
	.arguments = "FILE",
	.op = OP_check,
	.help = "Reads FILE (- is standard input) exactly as a start would, up to the host "
		"resources it names,\n"
		"and prints every finding with its place and what to do. Exit status 65 when it "
		"has errors.\n"
		"Relative paths of load and hostdev belong to the folder of FILE.\n\n"
		"  qvmadm check brake.qvmconf\n"
		"  qvmadm check - < brake.qvmconf && echo fine",
	.run = run,
};

COMMAND_REGISTER(check);
