/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/vm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "client/show/age.h"
#include "client/show/field.h"
#include "schemas/cause.h"

enum term_style vm_style(const char *column, const char *word)
{
	static const struct {
		const char *column, *word;
		enum term_style style;
	} table[] = {
		{"observed", "running", TERM_GOOD},   {"observed", "starting", TERM_BUSY},
		{"observed", "stopping", TERM_BUSY},  {"observed", "paused", TERM_COOL},
		{"observed", "safe", TERM_BAD},	      {"observed", "stopped", TERM_DIM},
		{"observed", "preparing", TERM_BUSY}, {"observed", "ready", TERM_COOL},
		{"health", "healthy", TERM_GOOD},     {"health", "suspect", TERM_BUSY},
		{"health", "failed", TERM_BAD},	      {"health", "unknown", TERM_DIM},
	};

	if (!strcmp(column, "cause"))
		return cause_is_failure(cause_from_id(word)) ? TERM_BAD : TERM_DIM;
	for (size_t i = 0; i < NELEMS(table); i++)
		if (!strcmp(table[i].column, column) && !strcmp(table[i].word, word))
			return table[i].style;
	return TERM_PLAIN;
}

void vm_print_revision(const char *vm, int64_t revision, bool is_new)
{
	printf("%s: %s revision %" PRId64 "\n", vm,
	       is_new ? "is now at" : "nothing changes; it is at", revision);
}

void vm_print_pending(const json_t *vm)
{
	json_t *name;
	size_t i;

	json_array_foreach (field_list(vm, "pending"), i, name)
		printf("%s%s", i ? ", " : "  waiting for its next start: ",
		       json_is_string(name) ? json_string_value(name) : "?");
	if (i)
		putchar('\n');
}

static void print_step(const char *verb, const char *name, const char *more, const char *what)
{
	char line[160];

	snprintf(line, sizeof line, "qvmadm %s %s%s", verb, name, more);
	printf("  %-*s  %s\n", (int)(24 + strlen(name)), line, what);
}

void vm_print_advice(const json_t *vm, int64_t now_ms)
{
	const char *name = field_text(vm, "name"), *restart_at = field_text(vm, "restart_at");
	char when[AGE_TEXT];

	if (strcmp(field_text(vm, "observed"), "safe") != 0)
		return;
	if (age_parse(restart_at) > 0) {
		printf("\nIt is in its design safe state; its policy restarts it %s.\n",
		       age_text(restart_at, now_ms, when));
		print_step("incidents", name, " --last", "why it failed");
		print_step("stop", name, "", "call the restart off; it stays safe");
		return;
	}
	if (field_number(vm, "pid", 0) > 0) {
		printf("\nIt is in its design safe state; its vCPUs stand to be looked at, as its "
		       "policy says:\n");
		print_step("status", name, "", "what they did; also map");
		print_step("dump", name, "", "memory and registers into a file");
	} else {
		printf("\nIt is held in its design safe state until someone decides:\n");
	}
	print_step("incidents", name, " --last", "why it failed");
	print_step("start", name, "", "start it again");
	print_step("release", name, "", "leave it stopped");
}
