/* SPDX-License-Identifier: Apache-2.0 */
/* revision.h - what a VM was to be, time after time. qvm-api. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct sqlite3_stmt;

/* A row with the configuration and its folder, to be left by db_leave(). ERR_NOT_FOUND. */
int revision_text(struct db *d, int64_t vm, int64_t revision, struct sqlite3_stmt **ret,
		  struct err *e);
/* Append what a worker started with revision `running` does not know of `newest`. */
int revision_pending(struct db *d, int64_t vm, int64_t running, int64_t newest, json_t *list,
		     struct err *e);
