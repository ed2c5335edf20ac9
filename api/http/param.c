/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/param.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/http/target.h"
#include "base/auto.h"
#include "base/name.h"
#include "base/str.h"

const struct param_row param_table[PARAM_COUNT] = {
#define PARAM(op_, symbol_, where_, name_, kind_, min_, max_, def_, what_)                         \
	[PARAM_OF_##op_##_##symbol_] = {OP_##op_, PARAM_##where_, PARAM_##kind_, name_,            \
					what_,	  min_,		  max_,		 def_},
#include "schemas/params.def"
#undef PARAM
};

/*
 * No operation has more rows than struct param_set holds. The compiler counts them: a byte of a word an
 * operation, 16 of them a word; a count beyond PARAM_MOST carries into the top bit of its byte.
 */
enum { WORD_OPS = 16 };
__extension__ typedef unsigned __int128 param_counts;
#define BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))
#define EACH(byte)  ((param_counts)BYTES(byte) << 64 | BYTES(byte))
#define SPARE	    EACH(0x7f - PARAM_MOST)
_Static_assert(OP_COUNT <= 3 * WORD_OPS, "one more word to count in");
_Static_assert(PARAM_COUNT + 0x7f - PARAM_MOST <= 0xff, "no count carries into the next byte");
#define COUNT(op, word) +((param_counts)(OP_##op / WORD_OPS == (word)) << OP_##op % WORD_OPS * 8)
#define TOO_MANY	"an operation of params.def has more rows than PARAM_MOST"
/* clang-format off */
#define PARAM(op, symbol, where, name, kind, min, max, def, what) COUNT(op, 0)
_Static_assert(!((SPARE + (0
#include "schemas/params.def"
		 )) & EACH(0x80)), TOO_MANY);
#undef PARAM
#define PARAM(op, symbol, where, name, kind, min, max, def, what) COUNT(op, 1)
_Static_assert(!((SPARE + (0
#include "schemas/params.def"
		 )) & EACH(0x80)), TOO_MANY);
#undef PARAM
#define PARAM(op, symbol, where, name, kind, min, max, def, what) COUNT(op, 2)
_Static_assert(!((SPARE + (0
#include "schemas/params.def"
		 )) & EACH(0x80)), TOO_MANY);
#undef PARAM
/* clang-format on */

enum param param_first(enum op_id op)
{
	unsigned row = 0;

	while (row < PARAM_COUNT && param_table[row].op != op)
		row++;
	return (enum param)row;
}

static unsigned slot(enum param row)
{
	return row - param_first(param_table[row].op);
}

void param_begin(enum op_id op, struct param_set *ret)
{
	*ret = (struct param_set){0};
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op; row++)
		ret->value[slot((enum param)row)].number = param_table[row].def;
}

static int no_such(enum op_id op, const char *name, struct err *e)
{
	struct str_near parameter = str_near(name);
	char known[256] = "";
	size_t n = 0;

	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op;
	     row++) {
		const char *other = param_table[row].name;

		if (param_table[row].where != PARAM_QUERY)
			continue;
		str_try(&parameter, other);
		str_add(known, sizeof known, &n, "%s%s", n ? ", " : "", other);
	}
	if (parameter.near)
		return err_set(e, INVALID, "there is no parameter '%.64s' here; did you mean '%s'?",
			       name, parameter.near);
	if (n)
		return err_set(e, INVALID, "there is no parameter '%.64s' here; there are: %s",
			       name, known);
	return err_set(e, INVALID, "there is no parameter '%.64s' here, nor any other", name);
}

static int out_of_range(const struct param_row *r, const char *text, struct err *e)
{
	if (r->max == INT64_MAX)
		return err_set(e, INVALID,
			       "parameter '%s' is '%.64s'; it must be a whole number from %" PRId64,
			       r->name, text, r->min);
	return err_set(e, INVALID,
		       "parameter '%s' is '%.64s'; it must be a whole number from %" PRId64
		       " to %" PRId64,
		       r->name, text, r->min, r->max);
}

static int read_number(const struct param_row *r, const char *text, int64_t *ret, struct err *e)
{
	long long v;
	char *end;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || v < r->min || v > r->max)
		return out_of_range(r, text, e);
	*ret = v;
	return 0;
}

static int read_span(const struct param_row *r, const char *text, int64_t *ret_ms, struct err *e)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}};
	int64_t most_s = r->max / 1000;
	long long v;
	char *end;

	errno = 0;
	v = strtoll(text, &end, 10);
	for (size_t i = 0; i < NELEMS(units) && isdigit((unsigned char)text[0]) && !errno; i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (v > r->max / units[i].ms)
			break;
		*ret_ms = v * units[i].ms;
		return 0;
	}
	return err_set(e, INVALID,
		       "parameter '%s' is '%.64s'; it must be a time up to %" PRId64
		       "s, as in 500ms, 30s or 5m",
		       r->name, text, most_s);
}

int param_read(enum param row, const char *text, struct param_set *p, struct err *e)
{
	const struct param_row *r = &param_table[row];
	__typeof__(&p->value[0]) v = &p->value[slot(row)];

	if (v->is_set)
		return err_set(e, INVALID, "parameter '%s' is given twice", r->name);
	switch (r->kind) {
	case PARAM_NUMBER:
	case PARAM_FLAG:
		if (read_number(r, text, &v->number, e) < 0)
			return -1;
		break;
	case PARAM_SPAN:
		if (read_span(r, text, &v->number, e) < 0)
			return -1;
		break;
	case PARAM_NAME:
		if (!name_is_valid(text))
			return err_set(e, INVALID,
				       "parameter '%s' is '%.80s'; a name of a VM must match %s",
				       r->name, text, NAME_PATTERN);
		str_copy(v->text, sizeof v->text, text);
		break;
	case PARAM_TEXT:
		if (strlen(text) < (size_t)r->min || strlen(text) > (size_t)r->max ||
		    !str_copy(v->text, sizeof v->text, text))
			return err_set(e, INVALID,
				       "parameter '%s' has %zu bytes; it must have from %" PRId64
				       " to %" PRId64,
				       r->name, strlen(text), r->min, r->max);
		break;
	}
	v->is_set = true;
	return 0;
}

static int read_pair(enum op_id op, const char *pair, size_t n, struct param_set *p, struct err *e)
{
	const char *equals = memchr(pair, '=', n);
	size_t n_name = equals ? (size_t)(equals - pair) : n;
	char name[PARAM_VALUE], value[256] = "1"; /* "?follow" says follow=1 */

	if (target_decode(pair, n_name, name, sizeof name, e) < 0 ||
	    (equals && target_decode(equals + 1, n - n_name - 1, value, sizeof value, e) < 0))
		return -1;
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op;
	     row++) {
		const struct param_row *r = &param_table[row];

		if (r->where != PARAM_QUERY || strcmp(r->name, name) != 0)
			continue;
		if (!equals && r->kind != PARAM_FLAG)
			return err_set(e, INVALID, "parameter '%s' has no value", name);
		return param_read((enum param)row, value, p, e);
	}
	return no_such(op, name, e);
}

int param_read_query(enum op_id op, const char *query, struct param_set *p, struct err *e)
{
	while (*query) {
		size_t n = strcspn(query, "&");

		if (n && read_pair(op, query, n, p, e) < 0)
			return -1;
		query += n + (query[n] == '&');
	}
	return 0;
}

int param_check(enum op_id op, const struct param_set *p, struct err *e)
{
	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op; row++)
		if (param_table[row].def == PARAM_NEEDED && !param_is_set(p, (enum param)row))
			return err_set(e, INVALID, "parameter '%s' is missing: %s",
				       param_table[row].name, param_table[row].what);
	return 0;
}

bool param_is_set(const struct param_set *p, enum param row)
{
	return p->value[slot(row)].is_set;
}

int64_t param_number(const struct param_set *p, enum param row)
{
	return p->value[slot(row)].number;
}

const char *param_text(const struct param_set *p, enum param row)
{
	return p->value[slot(row)].text;
}
