/* SPDX-License-Identifier: Apache-2.0 */
/*
 * param.h - the parameters of a request, beside the one in its path; the table is params.def. Pure.
 * qvm-api.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/op.h"

enum param_where { PARAM_QUERY, PARAM_HEADER };
enum param_kind { PARAM_NUMBER, PARAM_FLAG, PARAM_SPAN, PARAM_NAME, PARAM_TEXT };

/* PARAM_OF_vm_start_wait: a row of the table. */
enum param {
#define PARAM(op, symbol, where, name, kind, min, max, def, what) PARAM_OF_##op##_##symbol,
#include "schemas/params.def"
#undef PARAM
	PARAM_COUNT
};

struct param_row {
	enum op_id op;
	enum param_where where;
	enum param_kind kind;
	const char *name, *what;
	int64_t min, max, def;
};

extern const struct param_row param_table[PARAM_COUNT];

enum { PARAM_MOST = 12, PARAM_VALUE = 65, PARAM_NEEDED = -2 };

/* Values of one request, in the order of the rows of its operation. */
struct param_set {
	struct {
		bool is_set;
		int64_t number; /* NUMBER, FLAG, SPAN (milliseconds): the default if not set */
		char text[PARAM_VALUE]; /* NAME, TEXT */
	} value[PARAM_MOST];
};

/* The first row of an operation; PARAM_COUNT when it has none. */
enum param param_first(enum op_id op);
/* All defaults. */
void param_begin(enum op_id op, struct param_set *ret);
/* Read "a=1&b=2"; ERR_INVALID names the parameter, what is permitted, or the nearest name. */
int param_read_query(enum op_id op, const char *query, struct param_set *p, struct err *e);
/* Set one row from text. */
int param_read(enum param row, const char *text, struct param_set *p, struct err *e);

/* All has been read: ERR_INVALID when one is not there that must be. */
int param_check(enum op_id op, const struct param_set *p, struct err *e);

bool param_is_set(const struct param_set *p, enum param row);
int64_t param_number(const struct param_set *p, enum param row);
const char *param_text(const struct param_set *p, enum param row); /* "" when not set */
