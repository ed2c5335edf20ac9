/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/store.h"

enum { AUDIT_KEPT = 100000 };

int audit_write(struct store *s, const struct audit *a, struct err *e)
{
	char request[24];

	snprintf(request, sizeof request, "%016" PRIx64, a->request);
	return STORE_RUN(s, e,
			 "INSERT INTO audit (at_ms, op, vm, uid, pid, role, identity, request, "
			 "operation, revision, error_id, error) "
			 "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 STORE_INT(a->at_ms), STORE_TEXT(op_table[a->op].id), STORE_TEXT(a->vm),
			 STORE_INT(a->caller.uid), STORE_INT(a->caller.pid),
			 STORE_TEXT(role_id(a->caller.role)), STORE_TEXT(a->caller.identity),
			 STORE_TEXT(request), STORE_INT(a->operation), STORE_INT(a->revision),
			 STORE_TEXT(a->err.code ? err_id(a->err.code) : ""),
			 STORE_TEXT(a->err.code ? a->err.msg : ""));
}

int audit_prune(struct store *s, struct err *e)
{
	return STORE_RUN(s, e, "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?",
			 STORE_INT(AUDIT_KEPT));
}
