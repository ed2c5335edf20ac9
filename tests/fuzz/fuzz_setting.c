/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files, and texts that are compared: whatever stands in them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/setting.h"
#include "client/show/diff.h"
#include "client/show/field.h"
#include "client/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is read is written so that it reads the same. */
static void fuzz_policy(char *text, size_t n)
{
	struct source s = {.name = "fuzz.policy", .text = text, .bytes = n};
	AUTO_JSON json_t *policy = NULL;
	AUTO_JSON json_t *again = NULL;
	AUTO_FREE char *printed = NULL, *printed_again = NULL;

	if (setting_parse(&s, &policy) < 0) {
		if (json_array_size(field_list(policy, "diagnostics")) == 0)
			__builtin_trap();
		return;
	}
	printed = setting_print(policy);
	s.text = printed;
	if (setting_parse(&s, &again) < 0)
		__builtin_trap();
	printed_again = setting_print(again);
	if (strcmp(printed, printed_again) != 0)
		__builtin_trap();
}

/* The lines that stay are the same in both, in order. */
static void fuzz_diff(const char *a, size_t n_a, const char *b, size_t n_b)
{
	AUTO_DIFF struct diff *d = diff_new(a, n_a, b, n_b);
	size_t i = 0, j = 0;

	for (;;) {
		while (i < d->from.n_lines && d->from.changes[i])
			i++;
		while (j < d->to.n_lines && d->to.changes[j])
			j++;
		if (i == d->from.n_lines || j == d->to.n_lines)
			break;
		size_t n = d->from.begin[i + 1] - d->from.begin[i];

		if (n != d->to.begin[j + 1] - d->to.begin[j] ||
		    memcmp(a + d->from.begin[i], b + d->to.begin[j], n) != 0)
			__builtin_trap();
		i++;
		j++;
	}
	if (i != d->from.n_lines || j != d->to.n_lines)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *half = n ? memchr(data, 0xff, n) : NULL;
	AUTO_FREE char *text = malloc(n + 1);
	size_t first = half ? (size_t)(half - data) : n;

	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	fuzz_diff(text, first, text + first + (half != NULL), half ? n - first - 1 : 0);
	fuzz_policy(text, strlen(text));
	return 0;
}
