/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/show/age.h"
#include "client/command.h"
#include "client/show/exits.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/quote.h"
#include "client/show/layers.h"
#include "client/show/table.h"

enum { EXITS_SHOWN = 8, LINES_SHOWN = 8, REASONS_SHOWN = 4 };

static void print_label(const char *label)
{
	printf("  %s%-10s%s ", term_on(stdout, TERM_DIM), label, term_off(stdout, TERM_DIM));
}

static void print_title(const char *title)
{
	printf("\n  %s%s%s\n", term_on(stdout, TERM_BOLD), title, term_off(stdout, TERM_BOLD));
}

struct count {
	const char *reason;
	int64_t n;
};

static int by_count(const void *left, const void *right)
{
	const struct count *a = left, *b = right;

	return (a->n < b->n) - (a->n > b->n);
}

/* "io 812, hlt 20, ..." of an object of counts, the most first. */
static void write_counts(const json_t *counts, char *buf, size_t cap)
{
	size_t n = json_object_size(counts), i = 0, len = 0;
	AUTO_FREE struct count *list = calloc(n + 1, sizeof *list);
	const char *reason;
	json_t *value;

	if (!list)
		abort();
	json_object_foreach ((json_t *)counts, reason, value)
		list[i++] = (struct count){reason, json_integer_value(value)};
	qsort(list, n, sizeof *list, by_count);
	buf[0] = '\0';
	for (i = 0; i < n && i < REASONS_SHOWN && list[i].n > 0; i++)
		str_add(buf, cap, &len, "%s%s %" PRId64, i ? ", " : "", list[i].reason, list[i].n);
	if (i < n && list[i].n > 0)
		str_add(buf, cap, &len, ", ...");
}

static void print_vcpus(const json_t *vcpus)
{
	AUTO_TABLE struct table *t = table_new();
	json_t *v;
	size_t i;

	print_title("vCPUs");
	table_column(t, "VCPU", TABLE_RIGHT, false);
	table_column(t, "STATE", TABLE_LEFT, false);
	table_column(t, "FOR", TABLE_RIGHT, false);
	table_spare(t, 1);
	table_column(t, "LAST RIP", TABLE_RIGHT, false);
	table_spare(t, 2);
	table_column(t, "EXITS", TABLE_RIGHT, false);
	table_column(t, "BY REASON", TABLE_LEFT, true);
	json_array_foreach ((json_t *)vcpus, i, v) {
		char span[AGE_TEXT], counts[256];

		write_counts(json_object_get(v, "exits"), counts, sizeof counts);
		table_cell(t, TERM_PLAIN, "%" PRId64, field_number(v, "vcpu", (int64_t)i));
		table_cell(t, TERM_PLAIN, "%s", field_word(v, "state"));
		table_cell(t, TERM_PLAIN, "%s", age_span(field_number(v, "since_ms", -1), span));
		table_cell(t, TERM_PLAIN, "%s", field_word(v, "last_rip"));
		table_cell(t, TERM_PLAIN, "%" PRId64, field_number(v, "exits_total", 0));
		table_cell(t, TERM_PLAIN, "%s", counts);
	}
	table_print(t, stdout, 2, term_width(stdout));
}

static void print_vdevs(const json_t *vdevs)
{
	static const char *const column[] = {"reads",	  "writes", "interrupts", "bytes_in",
					     "bytes_out", "errors", "drops"};
	char span[AGE_TEXT];
	AUTO_TABLE struct table *t = table_new();
	json_t *v;
	size_t i;

	if (json_array_size(vdevs) == 0)
		return;
	print_title("Virtual devices");
	table_column(t, "VDEV", TABLE_LEFT, true);
	table_column(t, "READS", TABLE_RIGHT, false);
	table_column(t, "WRITES", TABLE_RIGHT, false);
	table_column(t, "INTERRUPTS", TABLE_RIGHT, false);
	table_spare(t, 5);
	table_column(t, "BYTES IN", TABLE_RIGHT, false);
	table_spare(t, 1);
	table_column(t, "BYTES OUT", TABLE_RIGHT, false);
	table_spare(t, 2);
	table_column(t, "ERRORS", TABLE_RIGHT, false);
	table_spare(t, 3);
	table_column(t, "DROPS", TABLE_RIGHT, false);
	table_spare(t, 4);
	table_column(t, "ALARM IN", TABLE_RIGHT, false);
	table_spare(t, 6);
	json_array_foreach ((json_t *)vdevs, i, v) {
		table_cell(t, TERM_PLAIN, "%s", field_word(v, "name"));
		for (size_t k = 0; k < NELEMS(column); k++)
			table_cell(t, TERM_PLAIN, "%" PRId64, field_number(v, column[k], 0));
		table_cell(t, TERM_PLAIN, "%s", age_span(field_number(v, "alarm_ms", -1), span));
	}
	table_print(t, stdout, 2, term_width(stdout));
}

static void print_end(const json_t *end)
{
	const json_t *error = json_object_get(end, "error");

	if (!json_is_object(end))
		return;
	print_label("end");
	printf("%s%s", field_text(end, "sentence"), *field_text(end, "detail") ? ": " : "");
	printf("%s (exit code %" PRId64 ")\n", field_text(end, "detail"),
	       field_number(end, "exit_code", 0));
	if (*field_text(error, "detail")) {
		print_label("error");
		printf("%s\n", field_text(error, "detail"));
	}
}

static bool has_ended(const json_t *s)
{
	return !strcmp(field_word(s, "state"), "ended");
}

static void print_head(const json_t *s)
{
	const json_t *beat = json_object_get(s, "heartbeat");
	int64_t uptime_ms = field_number(s, "uptime_ms", 0);
	int64_t beats = field_number(beat, "beats", 0);
	char span[AGE_TEXT];

	printf("%s%s%s, worker %" PRId64 " of this VM\n", term_on(stdout, TERM_BOLD),
	       field_text(s, "vm"), term_off(stdout, TERM_BOLD), field_number(s, "generation", 0));
	print_label("state");
	printf("%s", field_word(s, "state"));
	if (uptime_ms > 0)
		printf(has_ended(s) ? ", after %s; all below is as of its end" : ", for %s",
		       age_span(uptime_ms, span));
	putchar('\n');
	print_label("heartbeat");
	printf("%" PRId64 " beat%s, the last %s %s\n", beats, beats == 1 ? "" : "s",
	       age_span(field_number(beat, "age_ms", -1), span),
	       has_ended(s) ? "before the end" : "ago");
	print_label("console");
	printf("%" PRId64 " bytes printed\n", field_number(s, "console_bytes", 0));
	print_label("sandbox");
	layers_print(json_object_get(s, "sandbox"));
	print_end(json_object_get(s, "end"));
}

static int run(struct command_call *c)
{
	int status;
	struct http_request q = {.op = OP_vm_status, .param = command_vm(c, &status)};
	AUTO_JSON json_t *s = q.param ? command_read(c, &q, &status) : NULL;

	if (!s)
		return status;
	print_head(s);
	print_vcpus(field_list(s, "vcpus"));
	print_vdevs(field_list(s, "vdevs"));
	if (json_array_size(field_list(s, "last_exits"))) {
		print_title("Last exits to the worker (the last one at the bottom)");
		exits_print(field_list(s, "last_exits"), EXITS_SHOWN,
			    has_ended(s) ? "BEFORE END" : "AGO");
	}
	if (*field_text(s, "log"))
		print_title("Last lines of its log");
	quote_print(field_text(s, "log"), 2, LINES_SHOWN);
	return 0;
}

static const struct command status_command = {
	.name = "status",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_status,
	.help = "What the VM does at this moment, read from the black box that it shares with the "
		"server; the\n"
		"guest does not notice. It is there after the VM's end, too.\n\n"
		"  qvmadm status brake\n"
		"  watch qvmadm status brake",
	.run = run,
};

COMMAND_REGISTER(status_command);
