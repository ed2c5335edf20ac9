/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h - a VM's rows as JSON. qvm-api. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct boxes_entry;
struct db;
struct request;
struct sqlite3_stmt;

/* The VM of a row of VM_COLUMNS with its policy, as lists show it. */
int vm_of_row(struct db *d, struct sqlite3_stmt *q, json_t **ret, struct err *e);
/* The whole resource; ERR_NOT_FOUND names the VM and what to do. */
int vm_make(struct db *d, const char *name, json_t **ret, struct err *e);
/* Row id and newest revision of a VM. */
int vm_find(struct db *d, const char *name, int64_t *ret_id, int64_t *ret_revision, struct err *e);
/* There is none of that name; false while the database cannot be read. */
bool vm_is_gone(struct db *d, const char *name);
/* The black box of the VM that the request names; *ret_is_gone: its worker is, whatever the box says.
 * ERR_CONFLICT when it has none. */
int vm_box(struct request *r, const struct boxes_entry **ret, bool *ret_is_gone, struct err *e);
