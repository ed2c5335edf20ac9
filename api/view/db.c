/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/db.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"

enum { RETRY_MS = 5, TEXT_MAX = 8 * 1024 * 1024 };

struct db {
	sqlite3 *conn;
	sqlite3_stmt *statement[STATEMENT_COUNT];
	sqlite3_stmt *begin, *end;
};

static const char *const sql[STATEMENT_COUNT] = {
#define STATEMENT(name, text) [STATEMENT_##name] = text,
#include "api/view/statements.def"
#undef STATEMENT
};

static int refused(const struct db *d, const char *tried, struct err *e)
{
	return err_set(e, STORE, "%s the database of the supervisor: %s (SQLite code %d)", tried,
		       d->conn ? sqlite3_errmsg(d->conn) : "no memory",
		       d->conn ? sqlite3_extended_errcode(d->conn) : SQLITE_NOMEM);
}

/* The file may have been damaged or made by someone else: nothing in it is executed. */
static void harden(sqlite3 *conn)
{
	static const struct {
		int option, on;
	} config[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	};
	static const struct {
		int what, most;
	} limit[] = {
		{SQLITE_LIMIT_LENGTH, TEXT_MAX}, {SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_COLUMN, 64},	 {SQLITE_LIMIT_EXPR_DEPTH, 32},
		{SQLITE_LIMIT_SQL_LENGTH, 4096}, {SQLITE_LIMIT_VARIABLE_NUMBER, 16},
	};

	for (size_t i = 0; i < NELEMS(config); i++)
		sqlite3_db_config(conn, config[i].option, config[i].on, NULL);
	for (size_t i = 0; i < NELEMS(limit); i++)
		sqlite3_limit(conn, limit[i].what, limit[i].most);
}

static int prepare(struct db *d, const char *text, sqlite3_stmt **ret, struct err *e)
{
	if (sqlite3_prepare_v3(d->conn, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) !=
	    SQLITE_OK)
		return refused(d, "prepare a query of", e);
	return 0;
}

int db_open(const char *uri, struct db **ret, struct err *e)
{
	struct db *d = calloc(1, sizeof *d);
	int result;

	if (!d)
		abort();
	if (sqlite3_open_v2(uri, &d->conn,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
				    SQLITE_OPEN_NOFOLLOW,
			    NULL) != SQLITE_OK) {
		result = refused(d, "open", e);
		goto out;
	}
	harden(d->conn);
	result = prepare(d, "BEGIN", &d->begin, e);
	if (result == 0)
		result = prepare(d, "COMMIT", &d->end, e);
	for (unsigned i = 0; result == 0 && i < STATEMENT_COUNT; i++)
		result = prepare(d, sql[i], &d->statement[i], e);
out:
	if (result < 0)
		db_close(TAKE(d));
	else
		*ret = d;
	return result;
}

void db_close(struct db *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(d->statement[i]);
	sqlite3_finalize(d->begin);
	sqlite3_finalize(d->end);
	sqlite3_close(d->conn);
	free(d);
}

int db_begin(struct db *d, struct err *e)
{
	int rc = sqlite3_step(d->begin);

	sqlite3_reset(d->begin);
	return rc == SQLITE_DONE ? 0 : refused(d, "read", e);
}

void db_end(struct db *d)
{
	sqlite3_step(d->end);
	sqlite3_reset(d->end);
}

struct sqlite3_stmt *db_query_values(struct db *d, enum statement s, const struct db_value *v,
				     size_t n)
{
	sqlite3_stmt *q = d->statement[s];

	sqlite3_reset(q);
	for (size_t i = 0; i < n; i++) {
		int rc = v[i].text ? sqlite3_bind_text(q, (int)i + 1, v[i].text, -1, SQLITE_STATIC)
				   : sqlite3_bind_int64(q, (int)i + 1, v[i].number);

		if (rc != SQLITE_OK)
			abort(); /* the statement has no such parameter: a defect */
	}
	return q;
}

/* In the way for a moment: a checkpoint, a recovery, a -shm that is just being made. */
static int may_pass(int rc)
{
	return (rc & 0xff) == SQLITE_BUSY || rc == SQLITE_READONLY_RECOVERY ||
	       rc == SQLITE_READONLY_CANTLOCK || rc == SQLITE_READONLY_CANTINIT;
}

int db_row(struct db *d, struct sqlite3_stmt *q, struct err *e)
{
	struct timespec wait = {0, RETRY_MS * 1000000L};
	int rc = sqlite3_step(q);

	/* Only the first step can meet it, so starting again repeats no row. */
	for (int i = 0; i < DB_PATIENCE_MS / RETRY_MS && may_pass(rc); i++) {
		sqlite3_reset(q);
		nanosleep(&wait, NULL);
		rc = sqlite3_step(q);
	}
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		refused(d, "read", e);
	sqlite3_reset(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

void db_leave(struct sqlite3_stmt *q)
{
	sqlite3_reset(q);
}

int64_t db_int(struct sqlite3_stmt *q, int column)
{
	return sqlite3_column_int64(q, column);
}

const char *db_text(struct sqlite3_stmt *q, int column)
{
	const char *s = (const char *)sqlite3_column_text(q, column);

	return s ? s : "";
}

size_t db_bytes(struct sqlite3_stmt *q, int column)
{
	return (size_t)sqlite3_column_bytes(q, column);
}

/* Whole numbers as they are, all else as text, each behind its length. */
size_t db_key(struct sqlite3_stmt *q, char *ret, size_t cap)
{
	int columns = sqlite3_column_count(q);
	size_t n = 0;

	for (int i = 0; i < columns; i++) {
		bool is_number = sqlite3_column_type(q, i) == SQLITE_INTEGER;
		int64_t number = is_number ? sqlite3_column_int64(q, i) : 0;
		const void *bytes = is_number ? (const void *)&number : db_text(q, i);
		int32_t length = is_number ? -1 : sqlite3_column_bytes(q, i);
		size_t size = is_number ? sizeof number : (size_t)length;

		if (size + sizeof length > cap - n)
			return 0;
		memcpy(ret + n, &length, sizeof length);
		memcpy(ret + n + sizeof length, bytes, size);
		n += sizeof length + size;
	}
	return n;
}
