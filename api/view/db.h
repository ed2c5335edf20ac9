/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h - the read side of state.db: one hardened connection, statements prepared once. qvm-api;
 * owned by main.c. qvmd is the only writer.
 *
 * The folder is mounted read-only; qvmd holds the database open in WAL mode, so its -shm exists and
 * SQLite reads it without writing. What is briefly in the way (a writer's checkpoint, a recovery)
 * is tried again for at most DB_PATIENCE_MS; then the answer is ERR_STORE.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sqlite3_stmt;
struct db;

enum { DB_PATIENCE_MS = 100 };

enum statement {
#define STATEMENT(name, sql) STATEMENT_##name,
#include "api/view/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

/* uri: "file:/state/state.db?mode=ro". */
int db_open(const char *uri, struct db **ret, struct err *e);
void db_close(struct db *d);

/* One snapshot for the statements in between; each begin has its end. */
int db_begin(struct db *d, struct err *e);
void db_end(struct db *d);
struct db_snapshot {
	struct db *db;
};
static inline void db_snapshot_end(struct db_snapshot *s)
{
	if (s->db)
		db_end(s->db);
}
#define AUTO_SNAPSHOT __attribute__((cleanup(db_snapshot_end)))

/* A value bound to ?1, ?2, ...: text if it is not NULL. */
struct db_value {
	const char *text;
	int64_t number;
};
#define DB_INT(n)  ((struct db_value){.number = (n)})
#define DB_TEXT(s) ((struct db_value){.text = (s)})

/* Start a query; its rows come from db_row(). The texts must live until then. */
struct sqlite3_stmt *db_query_values(struct db *d, enum statement s, const struct db_value *v,
				     size_t n);
#define db_query(d, s, ...)                                                                        \
	db_query_values((d), STATEMENT_##s, (const struct db_value[]){__VA_ARGS__},                \
			sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))
/* 1 = a row, 0 = no more (the query is over), -1 = ERR_STORE (over, too). */
int db_row(struct db *d, struct sqlite3_stmt *q, struct err *e);
/* Leave a query before its last row. */
void db_leave(struct sqlite3_stmt *q);
int64_t db_int(struct sqlite3_stmt *q, int column);
const char *db_text(struct sqlite3_stmt *q, int column); /* never NULL; until the next row */
size_t db_bytes(struct sqlite3_stmt *q, int column);	 /* of the text */
/* All columns of the row as bytes, the same for the same row alone; 0 = they are more than cap. */
size_t db_key(struct sqlite3_stmt *q, char *ret, size_t cap);
