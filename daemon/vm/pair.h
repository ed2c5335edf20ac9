/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.h - a VM and its standby (policy `standby`): takeover by policy or by an operator, give-back,
 * and who of the two may be started. Supervisor. decide/pair.c judges; the role is in the primary's
 * row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct daemon;
struct operation;
struct policy;
struct vm;

/* The VM that names v as its standby; NULL = none. */
struct vm *pair_primary(const struct vm *v);
/* Its standby; NULL = it has none. */
struct vm *pair_partner(const struct vm *v);
/* It is the one of its pair that is to run, or is in none. */
bool pair_is_active(const struct vm *v);
/* It may be started without an operator: the other has gone. */
bool pair_is_free(const struct vm *v);
/* ERR_CONFLICT when no operator may start it: the other of its pair is the active one, which is
 * named, or the roles are changing. */
int pair_may_run(const struct vm *v, struct err *e);
/* v is about to be started: the role that changes with that, until the commit has succeeded. */
struct vm *pair_turn(struct vm *v);
void pair_turn_back(struct vm *primary, struct vm *started);
/* The primary has failed and its policy says standby: the rest follows by pair_step(). */
void pair_fail_over(struct daemon *d, struct vm *primary);
/* Start whoever takes over, once the other has gone; have the other one of each pair as ready as its
 * policy says. */
void pair_step(struct daemon *d);
/* A guest runs, or will not: whoever waits for its takeover hears of it. */
void pair_note_started(struct daemon *d, struct vm *v);
void pair_note_failed(struct daemon *d, struct vm *v, const struct err *why);
/* At the start, when all is adopted or queued: takeovers that began under an earlier supervisor end here, or
 * by pair_step() once nothing goes on with them. */
void pair_recover(struct daemon *d);
/* The verbs, on the primary. */
int pair_take_over(struct daemon *d, struct vm *primary, const struct operation *o,
		   int64_t *ret_operation, struct err *e);
int pair_give_back(struct daemon *d, struct vm *primary, const struct operation *o,
		   int64_t *ret_operation, struct err *e);
/* May VM `name` (v NULL = a new one) have that policy, or be deleted (p NULL), beside the others? */
int pair_check(const struct daemon *d, const char *name, const struct vm *v, const struct policy *p,
	       struct err *e);
