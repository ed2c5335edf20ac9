/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/store/done.h"
#include "daemon/store/event.h"
#include "daemon/store/incident.h"
#include "daemon/store/migration.h"
#include "daemon/store/operation.h"
#include "daemon/store/record.h"
#include "tests/unit/test.h"

/* A database in a folder of its own. */
struct fixture {
	char folder[64], path[80];
	struct store s;
};

static void open_db(struct fixture *f)
{
	struct err e;

	str_copy(f->folder, sizeof f->folder, "/tmp/qvm-unit-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/state.db", f->folder);
	assert_int_equal(store_open(&f->s, f->path, (gid_t)-1, &e), 0);
}

static void remove_db(struct fixture *f)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	char path[96];

	store_close(&f->s);
	for (size_t i = 0; i < NELEMS(suffix); i++) {
		snprintf(path, sizeof path, "%s%s", f->path, suffix[i]);
		unlink(path);
	}
	rmdir(f->folder);
}

static void insert_vm(struct fixture *f, const char *name, struct record *ret)
{
	struct policy p = policy_default();
	struct err e;

	*ret = (struct record){.revision = 1, .since_ms = 5, .created_ms = 5};
	str_copy(ret->name, sizeof ret->name, name);
	assert_int_equal(store_begin(&f->s, &e), 0);
	assert_int_equal(record_insert(&f->s, ret, &e), 0);
	p.restart_budget = 17;
	assert_int_equal(record_add_revision(&f->s,
					     &(struct record_revision){.vm = ret->id,
								       .revision = 1,
								       .config = "ram 1m\n",
								       .bytes = 7,
								       .folder = "/guests",
								       .identity = "",
								       .op = OP_vm_put,
								       .policy = &p},
					     &e),
			 0);
	assert_int_equal(store_commit(&f->s, &e), 0);
}

TEST(store_brings_a_new_database_to_the_newest_version)
{
	struct fixture f;
	struct stat st;
	int64_t version;
	struct err e;

	open_db(&f);
	assert_int_equal(store_number(&f.s, "PRAGMA user_version", NULL, 0, -1, &version, &e), 0);
	assert_int_equal(version, migration_newest);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	remove_db(&f);
}

TEST(store_refuses_a_database_of_a_newer_program)
{
	struct fixture f;
	struct err e;

	open_db(&f);
	assert_int_equal(store_run(&f.s, "PRAGMA user_version = 999", NULL, 0, &e), 0);
	store_close(&f.s);
	assert_int_equal(store_open(&f.s, f.path, (gid_t)-1, &e), -1);
	assert_int_equal(e.code, ERR_STORE);
	assert_non_null(strstr(e.msg, "newer"));
	remove_db(&f);
}

TEST(store_refuses_a_file_that_is_no_database)
{
	struct fixture f;
	struct err e;

	open_db(&f);
	store_close(&f.s);
	AUTO_FD int fd = open(f.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "this is not SQLite, it is prose and long enough\n", 48), 48);
	assert_int_equal(store_open(&f.s, f.path, (gid_t)-1, &e), -1);
	assert_int_equal(e.code, ERR_STORE);
	remove_db(&f);
}

TEST(store_undoes_what_was_not_committed)
{
	struct fixture f;
	struct record r;
	int64_t n;
	struct err e;

	open_db(&f);
	insert_vm(&f, "one", &r);
	assert_int_equal(store_begin(&f.s, &e), 0);
	assert_int_equal(record_delete(&f.s, r.id, &e), 0);
	store_rollback(&f.s);
	assert_int_equal(store_number(&f.s, "SELECT count(*) FROM vm", NULL, 0, -1, &n, &e), 0);
	assert_int_equal(n, 1);
	remove_db(&f);
}

TEST(store_refuses_words_that_the_schema_does_not_know)
{
	struct fixture f;
	struct record r;
	struct err e;

	open_db(&f);
	insert_vm(&f, "one", &r);
	assert_int_equal(store_run(&f.s, "UPDATE vm SET observed = 'floating'", NULL, 0, &e), -1);
	assert_int_equal(e.code, ERR_STORE);
	assert_true(store_is_defect(&f.s));
	remove_db(&f);
}

static int keep(void *arg, const struct record *r, struct err *e)
{
	(void)e;
	*(struct record *)arg = *r;
	return 0;
}

TEST(record_comes_back_as_it_was_written)
{
	struct fixture f;
	struct record r, back;
	struct err e;

	open_db(&f);
	insert_vm(&f, "one", &r);
	r.desired = DESIRED_RUNNING;
	r.observed = OBSERVED_SAFE;
	r.health = HEALTH_FAILED;
	r.cause = CAUSE_TRIPLE_FAULT;
	r.pid = 77;
	r.pid_start = 1234567890123;
	r.generation = 3;
	r.restarts = 2;
	r.restart_at_ms = 99;
	str_copy(r.reason, sizeof r.reason, "it fell; it's \"quoted\"");
	assert_int_equal(record_update(&f.s, &r, &e), 0);
	assert_int_equal(record_each(&f.s, keep, &back, &e), 0);
	assert_memory_equal(&r, &back, sizeof r);
	remove_db(&f);
}

TEST(record_gives_back_configuration_and_policy_of_a_revision)
{
	struct fixture f;
	struct policy p;
	struct record r;
	AUTO(record_text_free) struct record_text t = {0};
	struct err e;

	open_db(&f);
	insert_vm(&f, "one", &r);
	assert_int_equal(record_config(&f.s, r.id, 1, &t, &e), 0);
	assert_int_equal(t.bytes, 7);
	assert_string_equal(t.config, "ram 1m\n");
	assert_string_equal(t.folder, "/guests");
	assert_int_equal(record_policy(&f.s, r.id, 1, &p, &e), 0);
	assert_int_equal(p.restart_budget, 17);
	assert_int_equal(record_config(&f.s, r.id, 2, &t, &e), -1);
	remove_db(&f);
}

/* Of what runs the policy is needed; what else is old goes. */
TEST(record_keeps_the_newest_revisions_and_the_one_that_runs)
{
	struct policy p = policy_default(), running;
	struct record r;
	struct fixture f;
	struct err e;
	int64_t n;

	open_db(&f);
	insert_vm(&f, "one", &r);
	r.running_revision = 1;
	assert_int_equal(store_begin(&f.s, &e), 0);
	for (r.revision = 2; r.revision <= RECORD_REVISIONS + 10; r.revision++) {
		assert_int_equal(record_update(&f.s, &r, &e), 0);
		assert_int_equal(
			record_add_revision(&f.s,
					    &(struct record_revision){.vm = r.id,
								      .revision = r.revision,
								      .config = "ram 2m\n",
								      .bytes = 7,
								      .folder = "",
								      .identity = "",
								      .op = OP_vm_patch,
								      .policy = &p},
					    &e),
			0);
	}
	r.revision--;
	assert_int_equal(store_commit(&f.s, &e), 0);
	assert_int_equal(store_number(&f.s, "SELECT count(*) FROM revision", NULL, 0, -1, &n, &e),
			 0);
	assert_int_equal(n, RECORD_REVISIONS + 1);
	assert_int_equal(record_running(&f.s, &r, &p, &running, &e), 0);
	assert_int_equal(running.restart_budget, p.restart_budget); /* in force at once */
	assert_int_equal(record_kept(&f.s, &r, 1, &e), 0);
	assert_int_equal(record_kept(&f.s, &r, 11, &e), 0);
	assert_int_equal(record_kept(&f.s, &r, 10, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "its newest is 74"));
	remove_db(&f);
}

TEST(record_delete_takes_the_revisions_along)
{
	struct fixture f;
	struct record r;
	int64_t n;
	struct err e;

	open_db(&f);
	insert_vm(&f, "one", &r);
	assert_int_equal(record_delete(&f.s, r.id, &e), 0);
	assert_int_equal(
		store_number(
			&f.s,
			"SELECT (SELECT count(*) FROM revision) + (SELECT count(*) FROM policy)",
			NULL, 0, -1, &n, &e),
		0);
	assert_int_equal(n, 0);
	remove_db(&f);
}

TEST(record_delete_takes_the_incidents_along)
{
	struct event ev = event_make(JOURNAL_SAFE, "one", "it failed");
	struct incident *i = calloc(1, sizeof *i);
	struct record one, two;
	struct fixture f;
	int64_t n;
	struct err e;

	open_db(&f);
	insert_vm(&f, "one", &one);
	insert_vm(&f, "two", &two);
	i->ending.cause = CAUSE_TRIPLE_FAULT;
	i->n_exits = i->n_vcpus = 1;
	i->id = 1;
	str_copy(i->vm, sizeof i->vm, "two");
	assert_int_equal(incident_write(&f.s, i, &e), 0);
	i->id = 2;
	str_copy(i->vm, sizeof i->vm, "one");
	assert_int_equal(incident_write(&f.s, i, &e), 0);
	assert_int_equal(incident_newest(&f.s, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(record_delete(&f.s, one.id, &e), 0);
	assert_int_equal(store_number(&f.s,
				      "SELECT 100 * (SELECT count(*) FROM incident) + "
				      "10 * (SELECT count(*) FROM incident_exit) + "
				      "(SELECT count(*) FROM incident_vcpu)",
				      NULL, 0, -1, &n, &e),
			 0);
	assert_int_equal(n, 111);
	/* Its number is not given again as long as an event tells of it. */
	ev.incident = 7;
	assert_int_equal(event_write(&f.s, &ev, 1, &e), 0);
	assert_int_equal(incident_newest(&f.s, &n, &e), 0);
	assert_int_equal(n, 7);
	free(i);
	remove_db(&f);
}

/* A start of what runs already makes an operation, and no event that would prune. */
TEST(operation_table_stays_bounded_by_itself)
{
	struct operation o = {.op = OP_vm_start, .request = 1};
	struct fixture f;
	int64_t id, n;
	struct err e;

	open_db(&f);
	assert_int_equal(store_begin(&f.s, &e), 0);
	for (int i = 0; i < 13000; i++)
		assert_int_equal(operation_insert(&f.s, &o, "one", OPERATION_DONE, "", &id, &e), 0);
	assert_int_equal(store_commit(&f.s, &e), 0);
	assert_int_equal(store_number(&f.s, "SELECT count(*) FROM operation", NULL, 0, -1, &n, &e),
			 0);
	assert_in_range(n, 10000, 11100);
	remove_db(&f);
}

TEST(operation_ends_for_everyone_who_waits_for_it)
{
	struct operation o = {.op = OP_vm_start, .request = 0xabc};
	struct operation_change c = {
		.op = OP_vm_start, .state = OPERATION_FAILED, .vm = "one", .at_ms = 7};
	struct fixture f;
	int64_t a, b, other, n;
	struct err e;

	open_db(&f);
	assert_int_equal(operation_insert(&f.s, &o, "one", OPERATION_RUNNING, "", &a, &e), 0);
	assert_int_equal(operation_insert(&f.s, &o, "one", OPERATION_RUNNING, "", &b, &e), 0);
	assert_int_equal(operation_insert(&f.s, &o, "two", OPERATION_RUNNING, "", &other, &e), 0);
	err_set(&c.err, RESOURCE, "no such image");
	assert_int_equal(operation_write(&f.s, &c, &e), 0);
	assert_int_equal(store_number(&f.s,
				      "SELECT count(*) FROM operation WHERE state = 'failed' AND "
				      "error_id = 'resource' AND ended_ms = 7 AND vm = 'one'",
				      NULL, 0, -1, &n, &e),
			 0);
	assert_int_equal(n, 2);
	remove_db(&f);
}

static void count(void *arg, enum cause cause, int64_t at_ms)
{
	int64_t *sum = arg;

	*sum += cause == CAUSE_TRIPLE_FAULT ? at_ms : 1000000;
}

TEST(event_tells_the_restarts_since_an_operators_start)
{
	struct event again = event_make(JOURNAL_RESTART, "one", "again");
	struct event start = event_make(JOURNAL_STARTING, "one", "starting");
	struct fixture f;
	int64_t sum = 0;
	struct err e;

	open_db(&f);
	again.cause = CAUSE_TRIPLE_FAULT;
	again.at_ms = 1000;
	assert_int_equal(event_write(&f.s, &again, 1, &e), 0);
	start.operation = 5;
	assert_int_equal(event_write(&f.s, &start, 2, &e), 0);
	again.at_ms = 20;
	assert_int_equal(event_write(&f.s, &again, 3, &e), 0);
	start.operation = 0; /* by policy */
	assert_int_equal(event_write(&f.s, &start, 4, &e), 0);
	again.at_ms = 3;
	assert_int_equal(event_write(&f.s, &again, 5, &e), 0);
	assert_int_equal(event_restarts(&f.s, "one", count, &sum, &e), 0);
	assert_int_equal(sum, 23);
	assert_int_equal(event_write(&f.s, &again, 5, &e), -1); /* a number is given once */
	remove_db(&f);
}

/* A uid comes of it, and files may outlive their VM. */
TEST(store_gives_no_id_of_a_vm_twice_nor_one_whose_uid_is_in_use)
{
	struct fixture f;
	struct record a, b, c;
	struct err e;

	open_db(&f);
	insert_vm(&f, "a", &a);
	insert_vm(&f, "b", &b);
	assert_int_equal(record_delete(&f.s, b.id, &e), 0);
	insert_vm(&f, "b", &b);
	assert_int_equal(b.id, a.id + 2);
	/* Sixteen million definitions later the next one would get the uid of "a". */
	assert_int_equal(STORE_RUN(&f.s, &e, "UPDATE given SET newest = ?",
				   STORE_INT(RECORD_UIDS + a.id - 1)),
			 0);
	insert_vm(&f, "c", &c);
	assert_int_equal(c.id, RECORD_UIDS + a.id + 1);
	remove_db(&f);
}

TEST(done_knows_a_request_by_all_that_was_asked)
{
	struct fixture f;
	struct done first = {.op = OP_vm_put,
			     .request = 7,
			     .name = "hello",
			     .caller = {.uid = 5, .identity = "script"},
			     .digest = "d",
			     .revision = 3,
			     .is_new = true};
	struct done wrong[] = {first, first, first, first, first}, again = first;
	struct err e;

	open_db(&f);
	assert_int_equal(done_before(&f.s, &again, &e), 0);
	assert_int_equal(done_insert(&f.s, &first, &e), 0);
	again.revision = again.is_new = 0;
	again.caller.pid = 99; /* it may ask by another process */
	assert_int_equal(done_before(&f.s, &again, &e), 1);
	assert_int_equal(again.revision, 3);
	assert_true(again.is_new);
	wrong[0].op = OP_vm_delete;
	wrong[1].name = "other";
	wrong[2].caller.uid = 6;
	wrong[3].caller.identity[0] = '\0';
	wrong[4].digest[0] = 'e';
	for (size_t i = 0; i < NELEMS(wrong); i++) {
		assert_int_equal(done_before(&f.s, &wrong[i], &e), -1);
		assert_int_equal(e.code, ERR_CONFLICT);
	}
	assert_int_equal(done_insert(&f.s, &first, &e), -1);
	remove_db(&f);
}
