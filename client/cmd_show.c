/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/quote.h"
#include "client/show/size.h"
#include "client/show/vm.h"
#include "schemas/cause.h"
#include "schemas/policy.h"

static void print_label(const char *label)
{
	printf("  %s%-12s%s", term_on(stdout, TERM_DIM), label, term_off(stdout, TERM_DIM));
}

static void print_word(const json_t *vm, const char *column)
{
	const char *word = field_word(vm, column);
	enum term_style style = vm_style(column, word);

	print_label(column);
	printf("%s%s%s", term_on(stdout, style), word, term_off(stdout, style));
}

/* "memory=cgroup cpu=none ..., in /sys/fs/cgroup/...": what holds the worker to what. */
static void print_limits(json_t *limits, const char *cgroup)
{
	const char *what;
	json_t *by;

	if (!json_object_size(limits))
		return;
	print_label("limits");
	json_object_foreach (limits, what, by)
		printf("%s=%s ", what, json_is_string(by) ? json_string_value(by) : "?");
	printf("%s%s\n", *cgroup ? "in " : "", cgroup);
}

/* The worst of the three signals, each of them, and what is wrong. */
static void print_health(const json_t *vm)
{
	static const char *const signal[] = {"process", "worker", "guest"};
	const json_t *signals = json_object_get(vm, "signals");

	print_word(vm, "health");
	for (size_t i = 0; signals && i < NELEMS(signal); i++)
		printf("%s%s %s", i ? ", " : "  ", signal[i], field_word(signals, signal[i]));
	putchar('\n');
	if (*field_text(signals, "why")) {
		print_label("");
		printf("%s\n", field_text(signals, "why"));
	}
}

static void print_columns(const json_t *vm, int64_t now_ms)
{
	const char *since = field_text(vm, "since"), *cause = field_text(vm, "cause");
	const char *restart_at = field_text(vm, "restart_at");
	int64_t pid = field_number(vm, "pid", 0);
	char age[AGE_TEXT], at[AGE_TEXT];

	print_word(vm, "desired");
	putchar('\n');
	print_word(vm, "observed");
	printf("  %s (%s)\n", age_text(since, now_ms, age), age_local(since, at));
	print_health(vm);
	if (*cause && strcmp(cause, "none") != 0) {
		print_word(vm, "cause");
		if (!*field_text(vm, "reason") && cause_from_id(cause) != CAUSE_NONE)
			printf(": %s", cause_sentence(cause_from_id(cause)));
		putchar('\n');
	}
	if (*field_text(vm, "reason")) {
		print_label("reason");
		printf("%s\n", field_text(vm, "reason"));
	}
	if (pid > 0) {
		print_label("worker");
		printf("pid %" PRId64 "\n", pid);
	}
	print_limits(json_object_get(vm, "limits"), field_text(vm, "cgroup"));
	if (*field_text(vm, "partner")) {
		print_label("role");
		printf("%s%s; its %s is %s\n", field_text(vm, "role"),
		       field_true(vm, "active") ? ", the active one" : ", not the active one",
		       strcmp(field_text(vm, "role"), "primary") ? "primary" : "standby",
		       field_text(vm, "partner"));
	}
	print_label("restarts");
	printf("%" PRId64, field_number(vm, "restarts", 0));
	if (age_parse(restart_at) > 0)
		printf(", the next %s", age_text(restart_at, now_ms, age));
	putchar('\n');
}

static void join_names(const json_t *list, char *ret, size_t cap)
{
	size_t n = 0, i;
	json_t *name;

	ret[0] = '\0';
	json_array_foreach ((json_t *)list, i, name)
		str_add(ret, cap, &n, "%s%.63s", i ? ", " : "", json_string_value(name));
}

/* "600000 = 10m 00s", "536870912 = 512M", "0 = no limit": what is stored, and what it means. */
static void write_number(const struct policy_field *f, int64_t n, char *ret, size_t cap)
{
	bool is_time = strlen(f->name) > 3 && !strcmp(f->name + strlen(f->name) - 3, "_ms");
	bool is_bytes = !strncmp(f->what, "bytes ", 6);
	char span[AGE_TEXT], size[SIZE_TEXT];
	const char *means = n == 0		    ? policy_zero(f)
			    : is_time && n >= 1000  ? age_span(n, span)
			    : is_bytes && n >= 1024 ? size_text((uint64_t)n, size)
						    : "";

	snprintf(ret, cap, "%" PRId64 "%s%s", n, *means ? " = " : "", means);
}

/* A value as text, and whether it is the one that a VM has without saying anything. */
static void print_field(const struct policy_field *f, const json_t *value)
{
	bool is_default = false;
	char text[POLICY_TEXT];
	int64_t n = json_is_boolean(value) ? json_is_true(value) : json_integer_value(value);

	if (json_is_array(value)) {
		join_names(value, text, sizeof text);
		is_default = !*text;
	} else if (f->kind == POLICY_NAME) {
		str_copy(text, sizeof text, json_string_value(value));
		is_default = !*text;
	} else if (json_is_string(value)) {
		snprintf(text, sizeof text, "%.30s", json_string_value(value));
		is_default = reaction_from_id(text, &n) == 0 && n == f->def;
	} else if (f->kind == POLICY_BOOL) {
		snprintf(text, sizeof text, "%s", n ? "true" : "false");
		is_default = n == f->def;
	} else {
		write_number(f, n, text, sizeof text);
		is_default = n == f->def;
	}
	printf("  %s%-21s %s%s\n", term_on(stdout, is_default ? TERM_DIM : TERM_BOLD), f->name,
	       *text ? text : "none", term_off(stdout, TERM_BOLD));
}

static void print_policy(const json_t *policy)
{
	if (!json_object_size(policy))
		return;
	printf("\n%sPolicy%s\n", term_on(stdout, TERM_BOLD), term_off(stdout, TERM_BOLD));
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const json_t *value = json_object_get(policy, policy_fields[i].name);

		if (value)
			print_field(&policy_fields[i], value);
	}
}

static void print_config(const json_t *vm)
{
	const char *folder = field_text(vm, "folder");

	printf("\n%sConfiguration%s%s%s\n", term_on(stdout, TERM_BOLD), term_off(stdout, TERM_BOLD),
	       *folder ? ", relative paths in " : "", folder);
	quote_print(field_text(vm, "config"), 2, 0);
}

static int run(struct command_call *c)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *vm = NULL;
	int64_t now_ms = clock_wall_ms();
	struct err e;
	int status;
	const char *name = command_vm(c, &status);

	if (!name)
		return status;
	if (command_ask(c, &(struct http_request){.op = OP_vm_show, .param = name}, &r, &status) <
	    0)
		return status;
	if (c->as_json) {
		field_print(r.body, r.body_bytes);
		return 0;
	}
	if (field_parse(r.body, r.body_bytes, &vm, &e) < 0)
		return problem_local(&e, false);
	printf("%s%s%s, revision %" PRId64 "\n", term_on(stdout, TERM_BOLD), field_text(vm, "name"),
	       term_off(stdout, TERM_BOLD), field_number(vm, "revision", 0));
	vm_print_pending(vm);
	print_columns(vm, now_ms);
	vm_print_advice(vm, now_ms);
	print_policy(json_object_get(vm, "policy"));
	if (*field_text(vm, "config"))
		print_config(vm);
	return 0;
}

static const struct command show = {
	.name = "show",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_show,
	.help = "State, policy and configuration; for a VM in its safe state also what can be "
		"done. Policy\n"
		"fields that differ from their defaults are bold on a terminal.\n\n"
		"  qvmadm show brake\n"
		"  qvmadm --json show brake | jq -r .config",
	.run = run,
};

COMMAND_REGISTER(show);
