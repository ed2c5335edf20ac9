/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/operation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "daemon/store/store.h"

enum { OPERATION_KEPT = 10000, PRUNE_EVERY = 1024 };

static const char *const state_id[] = {
	[OPERATION_RUNNING] = "running",
	[OPERATION_DONE] = "done",
	[OPERATION_FAILED] = "failed",
};

int operation_insert(struct store *s, const struct operation *o, const char *vm,
		     enum operation_state state, const char *phase, int64_t *ret_id, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	char request[24];

	snprintf(request, sizeof request, "%016" PRIx64, o->request);
	if (STORE_RUN(s, e,
		      "INSERT INTO operation (op, vm, state, phase, request, uid, started_ms, "
		      "ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		      STORE_TEXT(op_table[o->op].id), STORE_TEXT(vm), STORE_TEXT(state_id[state]),
		      STORE_TEXT(phase), STORE_TEXT(request), STORE_INT(o->caller.uid),
		      STORE_INT(now_ms), STORE_INT(state == OPERATION_RUNNING ? 0 : now_ms)) < 0)
		return err_wrap(e, "note the operation %s of '%s'", op_table[o->op].id, vm);
	*ret_id = store_last_id(s);
	/* Not every verb makes an event, so that the ledger's own pruning would not come by. */
	return *ret_id % PRUNE_EVERY ? 0 : operation_prune(s, e);
}

int operation_again(struct store *s, const struct operation *o, const char *vm, int64_t *ret_id,
		    struct err *e)
{
	struct sqlite3_stmt *q;
	char request[24];
	bool is_same;
	int r;

	snprintf(request, sizeof request, "%016" PRIx64, o->request);
	if (store_query(s, "SELECT id, op, vm, uid FROM operation WHERE request = ?",
			&STORE_TEXT(request), 1, &q, e) < 0)
		return -1;
	r = store_row(s, q, e);
	if (r <= 0)
		return r;
	is_same = !strcmp(store_text(q, 1), op_table[o->op].id) && !strcmp(store_text(q, 2), vm) &&
		  store_int(q, 3) == o->caller.uid;
	*ret_id = store_int(q, 0);
	if (!is_same)
		err_set(e, CONFLICT,
			"the Request-Id %s belongs to %s of '%.63s', operation %" PRId64
			"; a new request needs a new one",
			request, store_text(q, 1), store_text(q, 2), *ret_id);
	store_done(q);
	return is_same ? 1 : -1;
}

int operation_write(struct store *s, const struct operation_change *c, struct err *e)
{
	const struct err *err = &c->err;

	return STORE_RUN(s, e,
			 "UPDATE operation SET state = ?1, "
			 "phase = CASE ?2 WHEN '' THEN phase ELSE ?2 END, ended_ms = ?3, "
			 "error_id = ?4, error = ?5, origin = ?6 "
			 "WHERE vm = ?7 AND op = ?8 AND state = 'running'",
			 STORE_TEXT(state_id[c->state]), STORE_TEXT(c->phase),
			 STORE_INT(c->state == OPERATION_RUNNING ? 0 : c->at_ms),
			 STORE_TEXT(err->code ? err_id(err->code) : ""), STORE_TEXT(err->msg),
			 STORE_TEXT(err->n_frames ? err->frame[0].where : ""), STORE_TEXT(c->vm),
			 STORE_TEXT(op_table[c->op].id));
}

bool operation_is_running(struct store *s, const char *vm, enum op_id op)
{
	const struct store_value key[] = {STORE_TEXT(vm), STORE_TEXT(op_table[op].id)};
	int64_t n = 0;
	struct err e;

	return store_number(s,
			    "SELECT count(*) FROM operation WHERE vm = ? AND op = ? AND "
			    "state = 'running'",
			    key, NELEMS(key), 0, &n, &e) == 0 &&
	       n > 0;
}

int operation_changes(struct store *s, void (*each)(void *arg, const char *vm), void *arg,
		      struct err *e)
{
	struct sqlite3_stmt *q;
	int r;

	if (store_query(s,
			"SELECT vm FROM operation WHERE state = 'running' AND "
			"op IN ('vm_takeover', 'vm_give_back')",
			NULL, 0, &q, e) < 0)
		return -1;
	while ((r = store_row(s, q, e)) == 1)
		each(arg, store_text(q, 0));
	return r;
}

int operation_fail_lost(struct store *s, int64_t at_ms, struct err *e)
{
	struct err lost;

	err_set(&lost, CONFLICT, "its supervisor was started anew meanwhile: ask again");
	return STORE_RUN(s, e,
			 "UPDATE operation SET state = 'failed', ended_ms = ?1, error_id = ?2, "
			 "error = ?3 WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM vm "
			 "WHERE vm.name = operation.vm AND "
			 "((vm.pid > 0 OR vm.observed IN ('starting', 'stopping')) AND "
			 "operation.op IN ('vm_start', 'vm_stop', 'vm_kill', 'vm_release', "
			 "'vm_pause') OR operation.op IN ('vm_takeover', 'vm_give_back')))",
			 STORE_INT(at_ms), STORE_TEXT(err_id(lost.code)), STORE_TEXT(lost.msg));
}

int operation_prune(struct store *s, struct err *e)
{
	return STORE_RUN(s, e,
			 "DELETE FROM operation WHERE state <> 'running' AND "
			 "id <= (SELECT max(id) FROM operation) - ?",
			 STORE_INT(OPERATION_KEPT));
}
