/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/op.h"

#include <string.h>

const struct op op_table[OP_COUNT] = {
#define OP(id_, kind_, method_, path_, role_, in_, out_, status_, cli_, summary_)                  \
	[OP_##id_] = {.id = #id_,                                                                  \
		      .path = path_,                                                               \
		      .in = #in_,                                                                  \
		      .out = #out_,                                                                \
		      .cli = cli_,                                                                 \
		      .summary = summary_,                                                         \
		      .kind = OP_KIND_##kind_,                                                     \
		      .method = OP_##method_,                                                      \
		      .role = ROLE_##role_,                                                        \
		      .status = status_},
#include "schemas/ops.def"
#undef OP
};

const char *op_method_name(enum op_method m)
{
	static const char *const name[OP_METHODS] = {"GET", "PUT", "PATCH", "POST", "DELETE"};

	return name[m];
}

const char *role_id(unsigned r)
{
	static const char *const id[ROLE_COUNT] = {"anyone", "reader", "operator", "admin"};

	return r < ROLE_COUNT ? id[r] : "?";
}

bool op_path_matches(const char *pattern, const char *path, char ret[static OP_PARAMS][OP_PARAM])
{
	unsigned i = 0;

	for (unsigned p = 0; p < OP_PARAMS; p++)
		ret[p][0] = '\0';
	while (*pattern && *path) {
		if (*pattern == '{') {
			size_t n = strcspn(path, "/");

			if (n == 0 || n >= OP_PARAM || i == OP_PARAMS)
				return false;
			memcpy(ret[i], path, n);
			ret[i++][n] = '\0';
			path += n;
			pattern += strcspn(pattern, "}") + 1;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *pattern == *path;
}
