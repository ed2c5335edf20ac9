/* SPDX-License-Identifier: Apache-2.0 */
#include "client/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/show/field.h"

const struct output_row output_table[OUTPUT_FORMS] = {
	[OUTPUT_TABLE] = {"table", "columns for people, cut to fit the terminal"},
	[OUTPUT_WIDE] = {"wide", "every column, and nothing cut"},
	[OUTPUT_NAME] = {"name", "a name or number a line, for shells"},
	[OUTPUT_JSON] = {"json", "what the server sends, problems too; --json is the same"},
};

bool output_has(unsigned forms, enum output form)
{
	return form == OUTPUT_TABLE || form == OUTPUT_JSON || forms & OUTPUT_IN(form);
}

void output_list(unsigned forms, char *buf, size_t cap)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned f = 0; f < OUTPUT_FORMS; f++)
		if (output_has(forms, f))
			str_add(buf, cap, &n, "%s%s",
				!n			? ""
				: f == OUTPUT_FORMS - 1 ? " or "
							: ", ",
				output_table[f].word);
}

int output_read(const char *word, const char *verb, unsigned forms, enum output *ret, struct err *e)
{
	char list[64];

	for (unsigned f = 0; f < OUTPUT_FORMS; f++) {
		if (!output_has(forms, f) || strcmp(output_table[f].word, word) != 0)
			continue;
		*ret = (enum output)f;
		return 0;
	}
	output_list(forms, list, sizeof list);
	return err_set(e, USAGE, "'%s' has no output form '%s'; it has %s", verb, word, list);
}

void output_names(json_t *list, const char *member)
{
	json_t *x;
	size_t i;

	json_array_foreach (list, i, x)
		if (*field_text(x, member))
			printf("%s\n", field_text(x, member));
		else
			printf("%" PRId64 "\n", field_number(x, member, 0));
}
