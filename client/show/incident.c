/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/incident.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/show/age.h"
#include "client/show/exits.h"
#include "client/show/field.h"
#include "client/show/quote.h"
#include "client/show/table.h"
#include "client/show/term.h"

enum { EXITS_SHOWN = 12, LINES_SHOWN = 20 };

static void print_label(const char *label)
{
	printf("  %s%-10s%s ", term_on(stdout, TERM_DIM), label, term_off(stdout, TERM_DIM));
}

static void print_text(const char *label, const char *text)
{
	if (!*text)
		return;
	print_label(label);
	printf("%s\n", text);
}

/* The sentence often holds it already. */
static void print_unless(const json_t *i, const char *label, const char *text)
{
	if (!strstr(field_text(i, "sentence"), text))
		print_text(label, text);
}

static void print_title(const char *title)
{
	printf("\n  %s%s%s\n", term_on(stdout, TERM_BOLD), title, term_off(stdout, TERM_BOLD));
}

static void print_when(const json_t *i, int64_t now_ms)
{
	int64_t uptime_ms = field_number(i, "uptime_ms", 0);
	const char *at = field_text(i, "at");
	char local[AGE_TEXT], age[AGE_TEXT], span[AGE_TEXT];

	print_label("when");
	printf("%s, %s", age_local(at, local), age_text(at, now_ms, age));
	if (uptime_ms > 0)
		printf("; the guest had run for %s", age_span(uptime_ms, span));
	else
		printf("; the guest had not started");
	putchar('\n');
}

static void print_end(const json_t *i)
{
	int64_t code = field_number(i, "exit_code", -1);
	const char *signal = field_text(i, "signal"), *syscall = field_text(i, "syscall");
	char text[96];

	print_text("signal", signal);
	if (*syscall) {
		snprintf(text, sizeof text, "%.60s, which the sandbox forbids", syscall);
		print_text("syscall", text);
	}
	if (code >= 0) {
		snprintf(text, sizeof text, "%" PRId64, code);
		print_text("exit code", text);
	}
}

/* The error of the worker, with the places it came through, the innermost first. */
static void print_error(const json_t *i)
{
	const json_t *error = json_object_get(i, "error"), *place;
	size_t n;

	print_unless(i, "error", field_text(error, "detail"));
	json_array_foreach (field_list(error, "origin"), n, place)
		print_text(n ? "" : "origin", json_string_value(place));
	print_text("hint", field_text(error, "hint"));
}

static void print_vcpus(const json_t *vcpus)
{
	AUTO_TABLE struct table *t = table_new();
	const json_t *v;
	size_t i;

	if (json_array_size(vcpus) == 0)
		return;
	print_title("vCPUs at the end");
	table_column(t, "VCPU", TABLE_RIGHT, false);
	table_column(t, "STATE", TABLE_LEFT, false);
	table_column(t, "RIP", TABLE_RIGHT, false);
	table_column(t, "EXITS", TABLE_RIGHT, false);
	json_array_foreach ((json_t *)vcpus, i, v) {
		table_cell(t, TERM_PLAIN, "%" PRId64, field_number(v, "vcpu", (int64_t)i));
		table_cell(t, TERM_PLAIN, "%s", field_word(v, "state"));
		table_cell(t, TERM_PLAIN, "0x%" PRIx64, field_address(v, "rip"));
		table_cell(t, TERM_PLAIN, "%" PRId64, field_number(v, "exits", 0));
	}
	table_print(t, stdout, 2, term_width(stdout));
}

static void print_lines(const char *title, const char *text)
{
	if (!*text)
		return;
	print_title(title);
	quote_print(text, 2, LINES_SHOWN);
}

static void print_usage(const json_t *i)
{
	char age[AGE_TEXT], bytes[24];
	int64_t peak = field_number(i, "peak_bytes", 0);

	print_label("used");
	printf("%" PRId64 " exits", field_number(i, "exits_total", 0));
	if (peak > 0)
		printf(", %s of processor time, %s of memory at its peak",
		       age_span(field_number(i, "cpu_ms", 0), age),
		       str_bytes((uint64_t)peak, bytes));
	putchar('\n');
}

static void print_registers(const json_t *vcpus)
{
	enum { MOST = 4, ONE = 26 /* columns of one, and one in front of all */ };
	unsigned width = term_width(stdout), fit = (width - 1) / ONE;
	unsigned per_line = !width || fit > MOST ? MOST : fit ? fit : 1;
	const json_t *v;
	const char *name;
	json_t *value;
	size_t i;

	json_array_foreach ((json_t *)vcpus, i, v) {
		json_t *registers = json_object_get(v, "registers");
		unsigned n = 0;
		char title[48];

		if (json_object_size(registers) == 0)
			continue;
		snprintf(title, sizeof title, "Registers of vCPU %" PRId64,
			 field_number(v, "vcpu", (int64_t)i));
		print_title(title);
		json_object_foreach (registers, name, value) {
			printf("%s%6s %-18s", n % per_line ? " " : "  ", name,
			       json_is_string(value) ? json_string_value(value) : "?");
			if (++n % per_line == 0)
				putchar('\n');
		}
		if (n % per_line)
			putchar('\n');
	}
}

void incident_print(const json_t *i, int64_t now_ms)
{
	printf("%s%s: %s%s\n", term_on(stdout, TERM_BAD), field_text(i, "vm"),
	       field_text(i, "sentence"), term_off(stdout, TERM_BAD));
	print_when(i, now_ms);
	print_unless(i, "detail", field_text(i, "detail"));
	print_text("cause", field_text(i, "cause"));
	print_end(i);
	print_error(i);
	print_text("then", field_text(i, "reaction"));
	print_text("dump", field_text(i, "dump"));
	print_usage(i);
	print_label("record");
	printf("incident %" PRId64 ", revision %" PRId64 ", worker %" PRId64 " of this VM\n",
	       field_number(i, "id", 0), field_number(i, "revision", 0),
	       field_number(i, "generation", 0));
	if (json_array_size(field_list(i, "exits"))) {
		print_title("Last exits to the worker (the last one at the bottom)");
		exits_print(field_list(i, "exits"), EXITS_SHOWN, "BEFORE END");
	}
	print_vcpus(field_list(i, "vcpus"));
	print_registers(field_list(i, "vcpus"));
	print_lines("Last lines of its console", field_text(i, "console"));
	print_lines("Last lines of its log", field_text(i, "log"));
}

void incident_print_table(const json_t *incidents, int64_t now_ms, unsigned width)
{
	AUTO_TABLE struct table *t = table_new();
	const json_t *i;
	size_t n;

	table_column(t, "ID", TABLE_RIGHT, false);
	table_column(t, "WHEN", TABLE_LEFT, false);
	table_column(t, "CAUSE", TABLE_LEFT, false);
	table_column(t, "AFTER", TABLE_RIGHT, false);
	table_column(t, "WHAT FOLLOWED", TABLE_LEFT, true);
	json_array_foreach ((json_t *)incidents, n, i) {
		char age[AGE_TEXT], span[AGE_TEXT];

		table_cell(t, TERM_PLAIN, "%" PRId64, field_number(i, "id", 0));
		table_cell(t, TERM_PLAIN, "%s", age_text(field_text(i, "at"), now_ms, age));
		table_cell(t, TERM_BAD, "%s", field_word(i, "cause"));
		table_cell(t, TERM_PLAIN, "%s", age_span(field_number(i, "uptime_ms", 0), span));
		table_cell(t, TERM_PLAIN, "%s", field_word(i, "reaction"));
	}
	table_print(t, stdout, 0, width);
}
