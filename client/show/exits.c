/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/exits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/show/age.h"
#include "client/show/field.h"
#include "client/show/table.h"

/* "1.204 ms" before the end. */
static const char *before(int64_t us, char ret[static AGE_TEXT])
{
	if (us < 1000)
		snprintf(ret, AGE_TEXT, "%" PRId64 " us", us);
	else if (us < 1000000)
		snprintf(ret, AGE_TEXT, "%" PRId64 ".%03" PRId64 " ms", us / 1000, us % 1000);
	else
		age_span(us / 1000, ret);
	return ret;
}

static void add_exit(struct table *t, const json_t *x)
{
	const char *reason = field_word(x, "reason");
	bool is_write = !strcmp(field_text(x, "access"), "write");
	int64_t width = field_number(x, "width", 0);
	char ago[AGE_TEXT];

	table_cell(t, TERM_DIM, "%s", before(field_number(x, "ago_us", 0), ago));
	table_cell(t, TERM_PLAIN, "%" PRId64, field_number(x, "vcpu", 0));
	table_cell(t, TERM_PLAIN, "%s", reason);
	if (width > 0) {
		table_cell(t, is_write ? TERM_BUSY : TERM_PLAIN, "%s", is_write ? "write" : "read");
		table_cell(t, TERM_PLAIN, "%" PRId64, width);
		table_cell(t, TERM_PLAIN, "0x%" PRIx64, field_address(x, "address"));
		table_cell(t, TERM_PLAIN, "0x%" PRIx64, field_address(x, "value"));
	} else {
		for (int n = 0; n < 4; n++)
			table_cell(t, TERM_PLAIN, "%s", "");
	}
	table_cell(t, TERM_PLAIN, "0x%" PRIx64, field_address(x, "rip"));
}

void exits_print(const json_t *exits, size_t most, const char *head)
{
	AUTO_TABLE struct table *t = table_new();
	size_t n = json_array_size(exits), from = n > most ? n - most : 0;

	table_column(t, head, TABLE_RIGHT, false);
	table_column(t, "VCPU", TABLE_RIGHT, false);
	table_spare(t, 3);
	table_column(t, "REASON", TABLE_LEFT, false);
	table_column(t, "ACCESS", TABLE_LEFT, false);
	table_column(t, "BYTES", TABLE_RIGHT, false);
	table_spare(t, 2);
	table_column(t, "ADDRESS", TABLE_RIGHT, false);
	table_column(t, "VALUE", TABLE_RIGHT, false);
	table_spare(t, 1);
	table_column(t, "RIP", TABLE_RIGHT, false);
	table_spare(t, 4);
	for (size_t i = from; i < n; i++)
		add_exit(t, json_array_get(exits, i));
	table_print(t, stdout, 2, term_width(stdout));
	if (from)
		printf("  (%zu earlier ones with --json)\n", from);
}
