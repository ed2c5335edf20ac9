/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/store/store.h"
#include "schemas/absent.h"

/* One that no VM ever had, and whose uid (vm_uid()) no present one has. */
static int next_id(struct store *s, int64_t *ret, struct err *e)
{
	int64_t taken;

	do {
		if (STORE_RUN(s, e, "UPDATE given SET newest = newest + 1 WHERE noun = 'vm'") < 0 ||
		    store_number(s, "SELECT newest FROM given WHERE noun = 'vm'", NULL, 0, 0, ret,
				 e) < 0)
			return -1;
		const struct store_value key[] = {STORE_INT(RECORD_UIDS), STORE_INT(*ret)};

		if (store_number(s, "SELECT count(*) FROM vm WHERE id % ?1 = ?2 % ?1", key,
				 NELEMS(key), 0, &taken, e) < 0)
			return -1;
	} while (taken);
	return 0;
}

void record_renew(struct record *r)
{
	r->generation++;
	r->running_revision = r->revision;
	r->restart_at_ms = 0;
	record_no_health(r);
}

void record_health(struct record *r, const struct health_verdict *v)
{
	r->health = health_overall(v);
	r->process = v->process;
	r->worker = v->worker;
	r->guest = v->guest;
	str_copy(r->why, sizeof r->why, v->why);
}

void record_no_health(struct record *r)
{
	record_health(r, &(struct health_verdict){0});
}

int record_insert(struct store *s, struct record *r, struct err *e)
{
	if (next_id(s, &r->id, e) < 0 ||
	    STORE_RUN(s, e,
		      "INSERT INTO vm (id, name, revision, desired, observed, health, since_ms, "
		      "created_ms, boot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      STORE_INT(r->id), STORE_TEXT(r->name), STORE_INT(r->revision),
		      STORE_TEXT(desired_id(r->desired)), STORE_TEXT(observed_id(r->observed)),
		      STORE_TEXT(health_id(r->health)), STORE_INT(r->since_ms),
		      STORE_INT(r->created_ms), STORE_TEXT(r->boot)) < 0)
		return err_wrap(e, "add VM '%s'", r->name);
	return 0;
}

int record_update(struct store *s, const struct record *r, struct err *e)
{
	if (STORE_RUN(s, e,
		      "UPDATE vm SET revision = ?, running_revision = ?, desired = ?, "
		      "observed = ?, health = ?, cause = ?, reason = ?, pid = ?, pid_start = ?, "
		      "generation = ?, restarts = ?, since_ms = ?, restart_at_ms = ?, "
		      "cgroup = ?, limits = ?, health_process = ?, health_worker = ?, "
		      "health_guest = ?, health_why = ?, boot = ?, pair = ? WHERE id = ?",
		      STORE_INT(r->revision), STORE_INT(r->running_revision),
		      STORE_TEXT(desired_id(r->desired)), STORE_TEXT(observed_id(r->observed)),
		      STORE_TEXT(health_id(r->health)), STORE_TEXT(cause_id(r->cause)),
		      STORE_TEXT(r->reason), STORE_INT(r->pid), STORE_INT(r->pid_start),
		      STORE_INT(r->generation), STORE_INT(r->restarts), STORE_INT(r->since_ms),
		      STORE_INT(r->restart_at_ms), STORE_TEXT(r->cgroup), STORE_TEXT(r->limits),
		      STORE_TEXT(health_id(r->process)), STORE_TEXT(health_id(r->worker)),
		      STORE_TEXT(health_id(r->guest)), STORE_TEXT(r->why), STORE_TEXT(r->boot),
		      STORE_TEXT(pair_id(r->pair)), STORE_INT(r->id)) < 0)
		return err_wrap(e, "write the row of VM '%s'", r->name);
	return 0;
}

int record_delete(struct store *s, int64_t id, struct err *e)
{
	/* Its incidents are kept by name: the next VM of that name has none of them. */
	if (STORE_RUN(s, e, "DELETE FROM incident WHERE vm = (SELECT name FROM vm WHERE id = ?)",
		      STORE_INT(id)) < 0)
		return -1;
	return STORE_RUN(s, e, "DELETE FROM vm WHERE id = ?", STORE_INT(id));
}

/* The database's words are hostile too: another program may have written them. */
static int decode(struct sqlite3_stmt *q, struct record *r, struct err *e)
{
	int desired = desired_from_id(store_text(q, 4));
	int observed = observed_from_id(store_text(q, 5));
	int health = health_from_id(store_text(q, 6)), process = health_from_id(store_text(q, 18));
	int worker = health_from_id(store_text(q, 19)), guest = health_from_id(store_text(q, 20));
	int pair = pair_from_id(store_text(q, 23));

	*r = (struct record){.id = store_int(q, 0), .cause = cause_from_id(store_text(q, 7))};
	str_copy(r->name, sizeof r->name, store_text(q, 1));
	if (!name_is_valid(r->name) || desired < 0 || observed < 0 || health < 0 || process < 0 ||
	    worker < 0 || guest < 0 || pair < 0)
		return err_set(e, STORE, "row %" PRId64 " of table vm ('%s') has unknown words",
			       r->id, r->name);
	r->revision = store_int(q, 2);
	r->running_revision = store_int(q, 3);
	r->desired = (enum desired)desired;
	r->observed = (enum observed)observed;
	r->health = (enum health)health;
	r->process = (enum health)process;
	r->worker = (enum health)worker;
	r->guest = (enum health)guest;
	r->pair = (enum pair)pair;
	str_copy(r->reason, sizeof r->reason, store_text(q, 8));
	r->pid = store_int(q, 9);
	r->pid_start = (uint64_t)store_int(q, 10);
	r->generation = store_int(q, 11);
	r->restarts = store_int(q, 12);
	r->since_ms = store_int(q, 13);
	r->restart_at_ms = store_int(q, 14);
	r->created_ms = store_int(q, 15);
	str_copy(r->cgroup, sizeof r->cgroup, store_text(q, 16));
	str_copy(r->limits, sizeof r->limits, store_text(q, 17));
	str_copy(r->why, sizeof r->why, store_text(q, 21));
	str_copy(r->boot, sizeof r->boot, store_text(q, 22));
	return 0;
}

int record_each(struct store *s, int (*each)(void *arg, const struct record *r, struct err *e),
		void *arg, struct err *e)
{
	struct sqlite3_stmt *q;
	struct record row;
	struct err why;
	int r;

	if (store_query(s,
			"SELECT id, name, revision, running_revision, desired, observed, health, "
			"cause, reason, pid, pid_start, generation, restarts, since_ms, "
			"restart_at_ms, created_ms, cgroup, limits, health_process, "
			"health_worker, health_guest, health_why, boot, pair FROM vm ORDER BY name",
			NULL, 0, &q, e) < 0)
		return -1;
	while ((r = store_row(s, q, e)) == 1) {
		if (decode(q, &row, &why) < 0) {
			log_error(&(struct log_about){.err = &why}, "left alone: %s", why.msg);
		} else if (each(arg, &row, e) < 0) {
			store_done(q);
			return -1;
		}
	}
	return r;
}

int record_add_revision(struct store *s, const struct record_revision *r, struct err *e)
{
	if (STORE_RUN(s, e,
		      "INSERT INTO revision (vm, revision, config, folder, created_ms, uid, "
		      "identity, "
		      "op, restores) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      STORE_INT(r->vm), STORE_INT(r->revision), STORE_BYTES(r->config, r->bytes),
		      STORE_TEXT(r->folder), STORE_INT(r->created_ms), STORE_INT(r->uid),
		      STORE_TEXT(r->identity), STORE_TEXT(op_table[r->op].id),
		      STORE_INT(r->restores)) < 0)
		return -1;
	for (unsigned i = 0; i < policy_n_fields; i++) {
		const struct policy_field *f = &policy_fields[i];

		if (STORE_RUN(s, e,
			      "INSERT INTO policy (vm, revision, field, value, text) "
			      "VALUES (?, ?, ?, ?, ?)",
			      STORE_INT(r->vm), STORE_INT(r->revision), STORE_TEXT(f->name),
			      STORE_INT(policy_is_text(f) ? 0 : policy_get(r->policy, f)),
			      STORE_TEXT(policy_is_text(f) ? policy_text(r->policy, f) : "")) < 0)
			return -1;
	}
	/* What runs is needed as long as it does: its policy is that of the VM. */
	return STORE_RUN(s, e,
			 "DELETE FROM revision WHERE vm = ?1 AND revision <= ?2 AND revision <> "
			 "(SELECT running_revision FROM vm WHERE id = ?1)",
			 STORE_INT(r->vm), STORE_INT(r->revision - RECORD_REVISIONS));
}

int record_config(struct store *s, int64_t vm, int64_t revision, struct record_text *ret,
		  struct err *e)
{
	const struct store_value key[] = {STORE_INT(vm), STORE_INT(revision)};
	struct sqlite3_stmt *q;
	const char *text;
	int r;

	if (store_query(s,
			"SELECT config, length(CAST(config AS BLOB)), folder FROM revision "
			"WHERE vm = ? AND revision = ?",
			key, NELEMS(key), &q, e) < 0 ||
	    (r = store_row(s, q, e)) < 0)
		return -1;
	if (r == 0)
		return err_set(e, STORE, "revision %" PRId64 " is not in '%s'", revision, s->path);
	text = store_text(q, 0);
	ret->bytes = (size_t)store_int(q, 1);
	ret->config = malloc(ret->bytes + 1);
	if (!ret->config)
		abort();
	memcpy(ret->config, text, ret->bytes + 1);
	str_copy(ret->folder, sizeof ret->folder, store_text(q, 2));
	store_done(q);
	return 0;
}

void record_text_free(struct record_text *t)
{
	free(t->config);
	t->config = NULL;
}

int record_policy(struct store *s, int64_t vm, int64_t revision, struct policy *ret, struct err *e)
{
	const struct store_value key[] = {STORE_INT(vm), STORE_INT(revision)};
	struct policy p = policy_default();
	struct sqlite3_stmt *q;
	struct err why;
	int r;

	if (store_query(s, "SELECT field, value, text FROM policy WHERE vm = ? AND revision = ?",
			key, NELEMS(key), &q, e) < 0)
		return -1;
	while ((r = store_row(s, q, e)) == 1) {
		const struct policy_field *f = policy_find(store_text(q, 0));

		/* A field that this version no longer has is passed over. */
		if (f && (policy_is_text(f) ? policy_set_text(&p, f, store_text(q, 2), &why)
					    : policy_set(&p, f, store_int(q, 1), &why)) < 0)
			log_error(&(struct log_about){.err = &why}, "its default is taken: %s",
				  why.msg);
	}
	if (r == 0)
		*ret = p;
	return r;
}

int record_running(struct store *s, const struct record *r, const struct policy *newest,
		   struct policy *ret, struct err *e)
{
	struct policy start = *newest;

	if (r->running_revision && r->running_revision != r->revision &&
	    record_policy(s, r->id, r->running_revision, &start, e) < 0)
		return err_wrap(e, "read the policy that '%s' runs under", r->name);
	*ret = policy_in_force(&start, newest);
	return 0;
}

int record_kept(struct store *s, const struct record *r, int64_t revision, struct err *e)
{
	const struct store_value key[] = {STORE_INT(r->id), STORE_INT(revision)};
	int64_t n, oldest;

	if (store_number(s, "SELECT count(*) FROM revision WHERE vm = ? AND revision = ?", key, 2,
			 0, &n, e) < 0)
		return -1;
	if (n)
		return 0;
	if (store_number(s, "SELECT min(revision) FROM revision WHERE vm = ?", key, 1, 0, &oldest,
			 e) < 0)
		return -1;
	return absent_revision(r->name, revision, r->revision, oldest, e);
}
