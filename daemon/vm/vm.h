/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm.h - a VM as the supervisor knows it, and the registry of all of them. Supervisor; owned by
 * struct daemon. The stored part is `row`; the rest lives as long as this process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/decide/ending.h"
#include "daemon/decide/health.h"
#include "daemon/store/record.h"
#include "daemon/decide/restart.h"
#include "daemon/vm/dumpsource.h"
#include "daemon/vm/startup.h"
#include "schemas/policy.h"

struct daemon;
struct dump;
struct worker;

/* How the present worker ended, or why there could be none. */
struct vm_end {
	struct ending ending;
	char detail[128];
	struct err err;		     /* code ERR_OK when there is none */
	int64_t noticed_ms;	     /* wall: when it was first known; 0 = with the end itself */
	uint64_t cpu_ms, peak_bytes; /* that the process had used; 0 = not known */
};

struct vm {
	struct daemon *d;
	struct record row;
	struct policy policy;  /* of the newest revision */
	struct policy running; /* of the present or last worker */
	struct worker *worker; /* NULL = none */
	struct vm_end end;
	int box_fd; /* read-only, of the newest worker; outlives it. -1 = none yet */
	struct dumpsource source;
	struct dump *dump; /* under way; NULL = none */
	struct health_watch watch;
	struct restart_history history;
	sd_event_source *deadline, *restart; /* timers */
	sd_event_source *prepare;	     /* to be held ready again; NULL = not armed */
	uint64_t request;		     /* of the operator's last verb, for the events */
	int64_t operation;
	uint64_t spawned_ms;   /* monotonic */
	enum turn turn;	       /* to start in order */
	bool inherits;	       /* a takeover of an earlier supervisor may be under way: pair.c */
	int64_t cold_revision; /* that cannot be held ready; 0 = none is known */
	bool is_wait_told;     /* why it waits */
	bool is_parting;       /* the supervisor ends, and has asked it to */
	bool is_dirty;	       /* the row is newer than the store's */
	bool is_unfenced;      /* an earlier supervisor's worker could not be ended */
};

struct vm_set {
	struct vm **vm; /* sorted by name */
	size_t n, room;
};

struct vm *vm_find(const struct vm_set *s, const char *name);
/* A new member with that row. */
struct vm *vm_add(struct vm_set *s, struct daemon *d, const struct record *row);
/* Forget it: it has no worker. */
void vm_remove(struct vm_set *s, struct vm *v);
void vm_clear(struct vm_set *s);
/* That its processes become, under a supervisor that is root. */
uint32_t vm_uid(const struct vm *v);
/* ERR_CONFLICT when a worker of it may still be there: neither start nor forget it. */
int vm_must_be_fenced(const struct vm *v, struct err *e);
/* ERR_CONFLICT while a worker is kept to be looked at, or is on its way out. */
int vm_must_be_thawed(const struct vm *v, struct err *e);
/* Stopped or safe; a worker that it still has is kept to be looked at, or on its way out. */
bool vm_rests(const struct vm *v);
/* The observed column changes now. */
void vm_observe(struct record *r, enum observed to, const char *boot);
