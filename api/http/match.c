/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/match.h"

#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/view/db.h"
#include "api/http/request.h"

int match_read(const char *text, int64_t *ret, struct err *e)
{
	size_t n = strlen(text);
	char digits[24];

	if (n >= 2 && text[0] == '"' && text[n - 1] == '"') {
		text++;
		n -= 2;
	}
	if (n == 0 || n > 18 || strspn(text, "0123456789") != n)
		return err_set(
			e, INVALID,
			"If-Match is '%.40s'; it must be one revision, as in If-Match: \"4\"",
			text);
	memcpy(digits, text, n);
	digits[n] = '\0';
	*ret = strtoll(digits, NULL, 10);
	return 0;
}

static int must_exist(const struct request *r, struct err *e)
{
	struct db *d = r->api->db;
	struct sqlite3_stmt *q = db_query(d, vm, DB_TEXT(request_vm(r)));
	int got = db_row(d, q, e);

	if (got > 0)
		db_leave(q);
	if (got == 0)
		return err_set(e, STALE, "If-Match is '*' and there is no VM '%s'", request_vm(r));
	return got < 0 ? -1 : 0;
}

/* The value of that header, where the operation has it in params.def; "" else. */
static const char *header_of(const struct request *r, const char *name)
{
	enum op_id op = r->route.op;

	for (unsigned row = param_first(op); row < PARAM_COUNT && param_table[row].op == op; row++)
		if (param_table[row].where == PARAM_HEADER && !strcmp(param_table[row].name, name))
			return param_text(&r->params, (enum param)row);
	return "";
}

int match_of(const struct request *r, int64_t *ret, struct err *e)
{
	const char *match = header_of(r, "If-Match"), *absent = header_of(r, "If-None-Match");

	*ret = -1;
	if (*absent && *match)
		return err_set(e, INVALID, "If-Match and If-None-Match together; send one of them");
	if (*absent && strcmp(absent, "*") != 0)
		return err_set(e, INVALID, "If-None-Match is '%s'; only '*' has a meaning here",
			       absent);
	if (*absent)
		*ret = 0;
	else if (!strcmp(match, "*"))
		return must_exist(r, e);
	else if (*match)
		return match_read(match, ret, e);
	return 0;
}
