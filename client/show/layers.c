/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/layers.h"

#include <stdio.h>

#include "client/show/field.h"
#include "client/show/term.h"

void layers_print(const json_t *sandbox)
{
	json_t *missing = field_list(sandbox, "missing"), *layer;
	size_t n = json_array_size(field_list(sandbox, "layers")), i;

	if (json_array_size(missing) == 0) {
		printf("complete, %zu layers\n", n);
		return;
	}
	printf("%zu layers; %smissing:", n, term_on(stdout, TERM_BUSY));
	json_array_foreach (missing, i, layer) {
		const char *name = json_string_value(layer);

		printf("%s %s", i ? "," : "", name ? name : "?");
	}
	printf("%s\n", term_off(stdout, TERM_BUSY));
}
