/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"
#include "daemon/store/migration.h"

/* Small enough that the log fits beside the database on a nearly full disk. */
#define STORE_PRAGMAS                                                                              \
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"          \
	"PRAGMA wal_autocheckpoint = 64; PRAGMA journal_size_limit = 1048576;"                     \
	"PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"

/* Nothing is written over it: a person decides which state is the true one. */
static int damage(const struct store *s, struct err *e, const char *found)
{
	return err_set(e, STORE,
		       "state '%s' is damaged (%s): put a copy back, or move it away to begin anew",
		       s->path, found);
}

static int fault(struct store *s, struct err *e, const char *what)
{
	int rc = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;

	s->is_busy = rc == SQLITE_BUSY;
	s->is_damaged |= rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
	if (s->is_damaged)
		return damage(s, e, sqlite3_errmsg(s->db));
	err_set(e, STORE, "%s in '%s': %s", what, s->path,
		s->db ? sqlite3_errmsg(s->db) : "out of memory");
	return s->is_busy
		       ? err_advise(e, "end the program that has it locked: fuser -v %s", s->path)
		       : -1;
}

static int harden(struct store *s, struct err *e)
{
	static const struct {
		int option, value;
	} options[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},	  {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},	  {SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	};
	int persist = 1;

	for (size_t i = 0; i < NELEMS(options); i++)
		if (sqlite3_db_config(s->db, options[i].option, options[i].value, NULL) !=
		    SQLITE_OK)
			return fault(s, e, "harden the connection");
	/* A reader without write access needs -wal and -shm to be there: they stay. */
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	return 0;
}

static int exec(struct store *s, const char *sql, const char *what, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fault(s, e, what);
}

static int quick_check(struct store *s, struct err *e)
{
	struct sqlite3_stmt *q;
	char found[160];
	int r;

	if (store_query(s, "PRAGMA quick_check(1)", NULL, 0, &q, e) < 0)
		return -1;
	r = store_row(s, q, e);
	if (r < 0)
		return -1;
	str_copy(found, sizeof found, store_text(q, 0));
	store_done(q);
	if (r == 1 && strcmp(found, "ok"))
		return damage(s, e, found);
	return 0;
}

static int migrate(struct store *s, struct err *e)
{
	int64_t version;
	char set[64];

	if (store_number(s, "PRAGMA user_version", NULL, 0, 0, &version, e) < 0)
		return -1;
	if (version > migration_newest)
		return err_set(e, STORE,
			       "state '%s' was made by a newer qvmd (its format is %lld, this "
			       "program knows up to %d): install that version again",
			       s->path, (long long)version, migration_newest);
	for (int v = (int)version; v < migration_newest; v++) {
		if (store_begin(s, e) < 0)
			return -1;
		snprintf(set, sizeof set, "PRAGMA user_version = %d", v + 1);
		if (exec(s, migration_sql[v], "migrate the state", e) < 0 ||
		    exec(s, set, "note the migration", e) < 0 || store_commit(s, e) < 0) {
			store_rollback(s);
			return -1;
		}
	}
	return 0;
}

/* SQLite gives -wal and -shm the mode and, as root, the owner of the database. */
static int share(const struct store *s, gid_t gid, struct err *e)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	char path[STORE_PATH + 8];

	for (size_t i = 0; i < NELEMS(suffix); i++) {
		snprintf(path, sizeof path, "%s%s", s->path, suffix[i]);
		if ((gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) < 0 && errno != ENOENT) ||
		    (chmod(path, 0640) < 0 && errno != ENOENT))
			return err_sys(e, STORE, "let the API's group read '%s'", path);
	}
	return 0;
}

int store_open(struct store *s, const char *path, gid_t gid, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
	mode_t mask = umask(0027);
	int rc;

	*s = (struct store){0};
	str_copy(s->path, sizeof s->path, path);
	rc = sqlite3_open_v2(path, &s->db, flags, NULL);
	umask(mask);
	if (rc != SQLITE_OK) {
		fault(s, e, "open the state");
		goto undo;
	}
	if (harden(s, e) < 0 || share(s, gid, e) < 0 ||
	    exec(s, STORE_PRAGMAS, "set up the state", e) < 0 || quick_check(s, e) < 0 ||
	    migrate(s, e) < 0 || share(s, gid, e) < 0)
		goto undo;
	return 0;
undo:
	store_close(s);
	return -1;
}

void store_close(struct store *s)
{
	for (unsigned i = 0; i < s->n_cached; i++)
		sqlite3_finalize(s->cache[i].statement);
	sqlite3_close(s->db);
	s->db = NULL;
	s->n_cached = 0;
}

static struct sqlite3_stmt *prepare(struct store *s, const char *sql, struct err *e)
{
	for (unsigned i = 0; i < s->n_cached; i++)
		if (s->cache[i].sql == sql)
			return s->cache[i].statement;
	if (s->n_cached == STORE_STATEMENTS) {
		err_set(e, INTERNAL, "more than %d statements", STORE_STATEMENTS);
		return NULL;
	}
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
			       &s->cache[s->n_cached].statement, NULL) != SQLITE_OK) {
		fault(s, e, "prepare a statement");
		return NULL;
	}
	s->cache[s->n_cached].sql = sql;
	return s->cache[s->n_cached++].statement;
}

int store_query(struct store *s, const char *sql, const struct store_value *v, size_t n,
		struct sqlite3_stmt **ret, struct err *e)
{
	struct sqlite3_stmt *q = prepare(s, sql, e);

	if (!q)
		return -1;
	sqlite3_reset(q);
	for (size_t i = 0; i < n; i++) {
		int rc = v[i].text ? sqlite3_bind_text64(q, (int)i + 1, v[i].text, v[i].bytes,
							 SQLITE_TRANSIENT, SQLITE_UTF8)
				   : sqlite3_bind_int64(q, (int)i + 1, v[i].number);

		if (rc != SQLITE_OK) {
			fault(s, e, "bind a value");
			return -1;
		}
	}
	*ret = q;
	return 0;
}

int store_row(struct store *s, struct sqlite3_stmt *q, struct err *e)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		fault(s, e, sqlite3_stmt_readonly(q) ? "read the state" : "write the state");
	store_done(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

void store_done(struct sqlite3_stmt *q)
{
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

int store_run(struct store *s, const char *sql, const struct store_value *v, size_t n,
	      struct err *e)
{
	struct sqlite3_stmt *q;
	int r;

	if (store_query(s, sql, v, n, &q, e) < 0)
		return -1;
	while ((r = store_row(s, q, e)) == 1)
		;
	return r;
}

int store_number(struct store *s, const char *sql, const struct store_value *v, size_t n,
		 int64_t otherwise, int64_t *ret, struct err *e)
{
	struct sqlite3_stmt *q;
	int r;

	if (store_query(s, sql, v, n, &q, e) < 0 || (r = store_row(s, q, e)) < 0)
		return -1;
	*ret = r ? sqlite3_column_int64(q, 0) : otherwise;
	store_done(q);
	return 0;
}

int store_begin(struct store *s, struct err *e)
{
	return exec(s, "BEGIN IMMEDIATE", "begin to write", e);
}

int store_commit(struct store *s, struct err *e)
{
	if (exec(s, "COMMIT", "commit", e) == 0)
		return 0;
	store_rollback(s);
	return -1;
}

void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

bool store_is_defect(const struct store *s)
{
	int rc = sqlite3_errcode(s->db) & 0xff;

	return rc == SQLITE_CONSTRAINT || rc == SQLITE_MISMATCH || rc == SQLITE_TOOBIG ||
	       rc == SQLITE_RANGE;
}

int64_t store_int(struct sqlite3_stmt *q, int column)
{
	return sqlite3_column_int64(q, column);
}

const char *store_text(struct sqlite3_stmt *q, int column)
{
	const unsigned char *s = sqlite3_column_text(q, column);

	return s ? (const char *)s : "";
}

int64_t store_last_id(const struct store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}
