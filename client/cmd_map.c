/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/command.h"
#include "client/show/field.h"
#include "client/show/problem.h"
#include "client/show/table.h"

enum { SIZE_TEXT = 24 };

static void print_title(const char *title, const char *more)
{
	printf("\n  %s%s%s%s\n", term_on(stdout, TERM_BOLD), title, term_off(stdout, TERM_BOLD),
	       more);
}

static enum term_style class_style(const json_t *place)
{
	static const struct {
		const char *class;
		enum term_style style;
	} styles[] = {{"permitted", TERM_GOOD}, {"pass-through", TERM_BUSY}, {"vdev", TERM_COOL}};

	if (!field_true(place, "on"))
		return TERM_DIM;
	for (size_t i = 0; i < NELEMS(styles); i++)
		if (!strcmp(field_text(place, "class"), styles[i].class))
			return styles[i].style;
	return TERM_PLAIN;
}

/* "512 KiB"; of ports and other odd sizes the plain number. */
static const char *size_text(const json_t *place, char ret[static SIZE_TEXT])
{
	int64_t n = field_number(place, "bytes", 0);

	if (n < 1024 || n % 1024)
		snprintf(ret, SIZE_TEXT, "%" PRId64, n);
	else
		str_bytes((uint64_t)n, ret);
	return ret;
}

static void add_place(struct table *t, const json_t *place, int digits)
{
	bool is_on = field_true(place, "on"), is_placed = is_on || field_address(place, "first");
	enum term_style dim = is_on ? TERM_PLAIN : TERM_DIM;
	int64_t bar = field_number(place, "bar", -1);
	char size[SIZE_TEXT], what[32] = "";

	if (bar >= 0)
		snprintf(what, sizeof what, " BAR %" PRId64 "%s", bar, is_on ? "" : ", off");
	if (is_placed) {
		table_cell(t, dim, "0x%0*" PRIx64, digits, field_address(place, "first"));
		table_cell(t, dim, "0x%0*" PRIx64, digits, field_address(place, "last"));
	} else {
		table_cell(t, dim, "-");
		table_cell(t, dim, "-");
	}
	table_cell(t, dim, "%s", size_text(place, size));
	table_cell(t, class_style(place), "%s", field_word(place, "class"));
	/* A BAR lies in the window of its bridge. */
	table_cell(t, dim, "%s%s%s", bar >= 0 && is_on ? "  " : "", field_word(place, "owner"),
		   what);
}

static void print_places(const char *title, const json_t *places)
{
	AUTO_TABLE struct table *t = table_new();
	uint64_t highest = 0;
	int digits = 4;
	json_t *p;
	size_t i;

	if (json_array_size(places) == 0)
		return;
	json_array_foreach ((json_t *)places, i, p)
		if (field_address(p, "last") > highest)
			highest = field_address(p, "last");
	while (digits < 16 && highest >> 4 * digits)
		digits += 4;
	print_title(title, "");
	table_column(t, "FIRST", TABLE_LEFT, false);
	table_column(t, "LAST", TABLE_LEFT, false);
	table_spare(t, 2);
	table_column(t, "BYTES", TABLE_RIGHT, false);
	table_column(t, "ACCESS", TABLE_LEFT, false);
	table_spare(t, 1);
	table_column(t, "WHO ANSWERS", TABLE_LEFT, true);
	json_array_foreach ((json_t *)places, i, p)
		add_place(t, p, digits);
	table_print(t, stdout, 2, term_width(stdout));
}

static void print_functions(const json_t *functions)
{
	AUTO_TABLE struct table *t = table_new();
	json_t *f;
	size_t i;

	if (json_array_size(functions) == 0)
		return;
	print_title("PCI functions", "");
	table_column(t, "ADDRESS", TABLE_LEFT, false);
	table_column(t, "WHO ANSWERS", TABLE_LEFT, true);
	json_array_foreach ((json_t *)functions, i, f) {
		table_cell(t, TERM_PLAIN, "%s", field_word(f, "address"));
		table_cell(t, TERM_PLAIN, "%s", field_word(f, "owner"));
	}
	table_print(t, stdout, 2, term_width(stdout));
}

/* A line has one row, however many devices share it. */
static void print_lines(const json_t *lines)
{
	AUTO_TABLE struct table *t = table_new();
	size_t n = json_array_size(lines), i = 0;

	if (n == 0)
		return;
	print_title("Interrupt lines", "");
	table_column(t, "LINE", TABLE_RIGHT, false);
	table_column(t, "RAISED BY", TABLE_LEFT, true);
	while (i < n) {
		int64_t line = field_number(json_array_get(lines, i), "line", -1);
		char who[512] = "";
		size_t len = 0;

		for (bool more = false; i < n; i++, more = true) {
			const json_t *l = json_array_get(lines, i);

			if (field_number(l, "line", -1) != line)
				break;
			str_add(who, sizeof who, &len, "%s%s", more ? ", " : "",
				field_word(l, "owner"));
		}
		table_cell(t, TERM_PLAIN, "%" PRId64, line);
		table_cell(t, TERM_PLAIN, "%s", who);
	}
	table_print(t, stdout, 2, term_width(stdout));
}

static void print_map(const json_t *m)
{
	int64_t more = field_number(m, "more", 0);

	printf("%s%s%s, worker %" PRId64 " of this VM, %s\n", term_on(stdout, TERM_BOLD),
	       field_text(m, "vm"), term_off(stdout, TERM_BOLD), field_number(m, "generation", 0),
	       field_word(m, "state"));
	print_places("Memory", field_list(m, "memory"));
	print_places("I/O ports", field_list(m, "ports"));
	print_lines(field_list(m, "interrupts"));
	print_functions(field_list(m, "functions"));
	printf("\n  Nobody answers what is not listed: an access there is a fault, which the "
	       "configuration's\n  `unsupported` decides.\n");
	if (more > 0)
		printf("  %" PRId64 " more rows did not fit the black box.\n", more);
}

static int run(struct command_call *c)
{
	int status;
	struct http_request q = {.op = OP_vm_map, .param = command_vm(c, &status)};
	AUTO_JSON json_t *m = q.param ? command_read(c, &q, &status) : NULL;

	if (!m)
		return status;
	print_map(m);
	return 0;
}

static const struct command map = {
	.name = "map",
	.group = COMMAND_LOOK,
	.arguments = "VM",
	.op = OP_vm_map,
	.help = "The board as it is at this moment: memory, I/O ports, interrupt lines, PCI "
		"functions and the\n"
		"BARs where the guest has placed them. The access class tells who takes part:\n\n"
		"  permitted     the guest alone, at full speed\n"
		"  read-only     the same; a write is a fault\n"
		"  pass-through  memory of the host or of its hardware\n"
		"  vdev          a virtual device of the worker\n"
		"  kvm           a device in the kernel\n\n"
		"It is there after the VM's end, too.\n\n"
		"  qvmadm map brake\n"
		"  qvmadm --json map brake | jq '.memory[] | select(.class == \"pass-through\")'",
	.run = run,
};

COMMAND_REGISTER(map);
