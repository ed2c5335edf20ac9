/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - one thing that happened: a row of table event, a line in the journal, an item of
 * /v1/events. Supervisor. Numbered and written by ledger.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/name.h"
#include "schemas/cause.h"
#include "schemas/journal.h"

struct store;

enum { EVENT_TEXT = 768 };

struct event {
	enum journal kind;
	enum cause cause; /* CAUSE_NONE = about no end */
	/* Of an end: the number of its incident, the generation that ended, and how. */
	int64_t incident, generation; /* 0 = none, not told */
	int signal, syscall;	      /* 0 and -1 = none */
	char vm[NAME_CAP];	      /* "" = about no VM */
	int64_t at_ms;		      /* wall */
	int64_t seq;		      /* once it is written */
	int64_t operation;
	uint64_t request;
	char text[EVENT_TEXT];
};

/* The sentence is printf text. */
struct event event_make(enum journal kind, const char *vm, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void event_log(const struct event *ev);
int event_write(struct store *s, const struct event *ev, int64_t seq, struct err *e);
/* The newest number; 0 = none yet. */
int event_newest(struct store *s, int64_t *ret, struct err *e);
/* Forget what lies too far back. */
int event_prune(struct store *s, int64_t newest, struct err *e);
/* Call `each` for every restart by policy of a VM since an operator's last start or
 * reset of the budget, oldest first. */
int event_restarts(struct store *s, const char *vm,
		   void (*each)(void *arg, enum cause cause, int64_t at_ms), void *arg,
		   struct err *e);
