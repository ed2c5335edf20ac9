/* SPDX-License-Identifier: Apache-2.0 */
/* op.h - the operations; the table is ops.def. All processes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum op_kind { OP_KIND_VIEW, OP_KIND_CALL };
enum op_method { OP_GET, OP_PUT, OP_PATCH, OP_POST, OP_DELETE, OP_METHODS };
enum role { ROLE_ANYONE, ROLE_READER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_COUNT };

enum op_id {
#define OP(id, kind, method, path, role, in, out, status, cli, summary) OP_##id,
#include "schemas/ops.def"
#undef OP
	OP_COUNT
};

struct op {
	const char *id, *path, *in, *out, *cli, *summary;
	enum op_kind kind;
	enum op_method method;
	enum role role;
	int status; /* HTTP status of success */
};

extern const struct op op_table[OP_COUNT];

const char *op_method_name(enum op_method m);
const char *role_id(unsigned r);
enum { OP_PARAMS = 2, OP_PARAM = 256 };

/*
 * Match one path pattern, segment by segment; each "{x}" captures a whole non-empty segment into the
 * next of ret, "" where there is none. Decoding is the caller's.
 */
bool op_path_matches(const char *pattern, const char *path, char ret[static OP_PARAMS][OP_PARAM]);
