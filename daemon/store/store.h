/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - state.db: connection, migrations, transactions, prepared statements. Supervisor, the
 * only writer; owned by struct daemon. Rows are the business of their nouns (record, operation,
 * event, incident), which call this.
 *
 * WAL and synchronous=FULL: what was committed outlives a power cut. Errors are ERR_STORE and leave
 * the database as it was before the transaction.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct sqlite3;
struct sqlite3_stmt;

enum { STORE_STATEMENTS = 64, STORE_PATH = 1024 };

struct store {
	struct sqlite3 *db;
	char path[STORE_PATH];
	/* Prepared once; looked up by the address of the literal. */
	struct {
		const char *sql;
		struct sqlite3_stmt *statement;
	} cache[STORE_STATEMENTS];
	unsigned n_cached;
	bool is_damaged; /* SQLite has said so */
	bool is_busy;	 /* what failed last did so because of another's lock */
};

struct store_value {
	const char *text; /* NULL = the number */
	int64_t number;
	size_t bytes; /* of the text */
};
#define STORE_INT(n)	    ((struct store_value){.number = (int64_t)(n)})
#define STORE_TEXT(s)	    ((struct store_value){.text = (s), .bytes = strlen(s)})
#define STORE_BYTES(s, len) ((struct store_value){.text = (s), .bytes = (len)})

/* Open or make `path`, check it, bring it to the newest migration. The files are 0640 and of group
 * gid, so that qvm-api may read them ((gid_t)-1 = leave the group). */
int store_open(struct store *s, const char *path, gid_t gid, struct err *e);
void store_close(struct store *s);

int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e); /* undone when it is refused */
void store_rollback(struct store *s);
/* True if the last error broke a rule of the schema: trying again cannot help. */
bool store_is_defect(const struct store *s);

/* Run one statement to its end. sql must be a literal: its address is the key of the cache. */
int store_run(struct store *s, const char *sql, const struct store_value *v, size_t n,
	      struct err *e);
/* Begin a query; then store_row() until it is not 1. 1 = a row, 0 = no more, -1 = an error. */
int store_query(struct store *s, const char *sql, const struct store_value *v, size_t n,
		struct sqlite3_stmt **ret, struct err *e);
int store_row(struct store *s, struct sqlite3_stmt *q, struct err *e);
/* Leave a query before its end. */
void store_done(struct sqlite3_stmt *q);
int64_t store_int(struct sqlite3_stmt *q, int column);
const char *store_text(struct sqlite3_stmt *q, int column); /* "" for NULL; until the next row */
int64_t store_last_id(const struct store *s);
/* The one number a query gives, `otherwise` without a row. */
int store_number(struct store *s, const char *sql, const struct store_value *v, size_t n,
		 int64_t otherwise, int64_t *ret, struct err *e);

#define STORE_RUN(s, e, sql, ...)                                                                  \
	store_run((s), (sql), (const struct store_value[]){__VA_ARGS__},                           \
		  sizeof((const struct store_value[]){__VA_ARGS__}) / sizeof(struct store_value),  \
		  (e))
