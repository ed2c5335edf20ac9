/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - what is still to be written. Supervisor; part of struct daemon.
 *
 * Observations (events, incidents, rows, ends of operations) are acted upon first and written at
 * the end of the round of the loop, all in one transaction and in order. If the disk refuses, they
 * stay here and are tried again: nothing is lost while the supervisor lives, and no VM waits.
 * Intent is the other way round: ledger_begin() opens a transaction that already holds everything
 * pending; the caller adds its own rows, and acts only after ledger_commit() has succeeded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"

struct audit;
struct daemon;
struct event;
struct incident;
struct operation_change;
struct record;
struct vm;
struct ledger_entry;

enum { LEDGER_STAGED = 2 };

struct ledger {
	struct ledger_entry *first, *last;
	int64_t seq;			     /* newest committed event */
	int64_t next_seq;		     /* of the transaction under way */
	int64_t incident;		     /* number of the newest one, written or not */
	struct event *staged[LEDGER_STAGED]; /* to log once it is committed */
	unsigned n_staged;
	sd_event_source *flush, *retry;
	bool is_failing;
};

int ledger_open(struct daemon *d, struct err *e);
void ledger_event(struct daemon *d, const struct event *ev);
int64_t ledger_incident(struct daemon *d, struct incident *take); /* its number */
void ledger_operation(struct daemon *d, const struct operation_change *c);
void ledger_audit(struct daemon *d, const struct audit *a);
/* The file of the guest of that worker, for its incident. */
void ledger_dump(struct daemon *d, const char *vm, int64_t generation, const char *path);
/* Once all this is written: what is kept of that worker is of no more use. */
void ledger_forget(struct daemon *d, const char *vm, int64_t generation);
void ledger_vm(struct daemon *d, struct vm *v);

int ledger_begin(struct daemon *d, struct err *e);
/* An event of the intent itself; logged when the transaction is committed. */
int ledger_stage(struct daemon *d, const struct event *ev, struct err *e);
int ledger_commit(struct daemon *d, struct err *e);
void ledger_abort(struct daemon *d);
/* An intent that is no more than a row and its event, as a whole. */
int ledger_intend(struct daemon *d, const struct record *r, const struct event *ev, struct err *e);

/* Write what is pending now; false = it stays pending. */
bool ledger_flush(struct daemon *d);
/* Drop what could not be written, saying so, and disarm. */
void ledger_close(struct daemon *d);
/* Forget what is pending and disarm. */
void ledger_drop(struct daemon *d);
