/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/done.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/store.h"

enum { DONE_KEPT = 10000, REQUEST_DIGITS = 24 };

int done_insert(struct store *s, const struct done *x, struct err *e)
{
	char request[REQUEST_DIGITS];

	snprintf(request, sizeof request, "%016" PRIx64, x->request);
	return STORE_RUN(s, e,
			 "INSERT INTO done (request, op, name, uid, identity, digest, revision, "
			 "is_new) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			 STORE_TEXT(request), STORE_TEXT(op_table[x->op].id), STORE_TEXT(x->name),
			 STORE_INT(x->caller.uid), STORE_TEXT(x->caller.identity),
			 STORE_TEXT(x->digest), STORE_INT(x->revision), STORE_INT(x->is_new));
}

int done_before(struct store *s, struct done *x, struct err *e)
{
	struct sqlite3_stmt *q;
	char request[REQUEST_DIGITS];
	bool is_same;
	int r;

	snprintf(request, sizeof request, "%016" PRIx64, x->request);
	if (store_query(s,
			"SELECT op, name, uid, identity, digest, revision, is_new FROM done "
			"WHERE request = ?",
			&STORE_TEXT(request), 1, &q, e) < 0)
		return -1;
	r = store_row(s, q, e);
	if (r <= 0)
		return r;
	is_same = !strcmp(store_text(q, 0), op_table[x->op].id) &&
		  !strcmp(store_text(q, 1), x->name) && store_int(q, 2) == x->caller.uid &&
		  !strcmp(store_text(q, 3), x->caller.identity) &&
		  !strcmp(store_text(q, 4), x->digest);
	x->revision = store_int(q, 5);
	x->is_new = store_int(q, 6) != 0;
	if (!is_same)
		err_set(e, CONFLICT,
			"the Request-Id %s belongs to %s of '%.63s', by another caller or with "
			"another body or parameter; a new request needs a new one",
			request, store_text(q, 0), store_text(q, 1));
	store_done(q);
	return is_same ? 1 : -1;
}

int done_prune(struct store *s, struct err *e)
{
	return STORE_RUN(s, e, "DELETE FROM done WHERE id <= (SELECT max(id) FROM done) - ?",
			 STORE_INT(DONE_KEPT));
}
