/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - one worker process and the dialogue with it, from clone3 to the reaped process.
 * Supervisor; owned by a VM (life.c) or a check (check.c), which hears of each step.
 *
 * Everything a worker sends is hostile: each phase permits a finite number of messages, a breach is
 * the end of that worker alone. It is held by its pidfd and ended by SIGKILL if need be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/blackbox.h"
#include "base/err.h"
#include "daemon/decide/ending.h"
#include "daemon/worker/confine.h"
#include "daemon/worker/late.h"
#include "daemon/worker/opening.h"
#include "daemon/worker/process.h"
#include "schemas/cause.h"
#include "schemas/diagnostic.h"
#include "schemas/keep.h"
#include "schemas/message.h"

struct daemon;
struct worker;

enum worker_phase {
	WORKER_READS,	  /* its configuration */
	WORKER_REFUSES,	  /* INVALID came */
	WORKER_PLANNED,	  /* PLAN came; the owner judges */
	WORKER_OPENS,	  /* what it wants is being opened */
	WORKER_ASSEMBLES, /* all is granted */
	WORKER_ENTERS,	  /* START was sent */
	WORKER_RUNS,
	WORKER_SAID_END,
	WORKER_PHASES
};

/* Who may want vCPUs to stand. */
enum { WORKER_HOLD_DUMP = 1, WORKER_HOLD_PAUSE = 2, WORKER_HOLD_FAULT = 4 };

/* What its owner hears. ended comes last, always and once; the owner frees the worker there. */
struct worker_owner {
	void (*planned)(struct worker *w, void *arg);
	/* After opening_judge() or opening_begin(): of a want; of the end of it all. */
	void (*refused)(struct worker *w, const struct msg_want *want, const struct err *why,
			void *arg);
	void (*opened)(struct worker *w, void *arg);
	void (*invalid)(struct worker *w, void *arg);
	void (*ready)(struct worker *w, void *arg); /* assembled: worker_start() is the next */
	/* After opening_claim(); why NULL = all is its own. NULL = never asked for. */
	void (*claimed)(struct worker *w, const struct err *why, void *arg);
	void (*started)(struct worker *w, void *arg);
	void (*held)(struct worker *w, void *arg); /* after worker_hold(); NULL = never asked for */
	void (*fault)(struct worker *w, void *arg);   /* said tells which; it is held from now on */
	void (*adopted)(struct worker *w, void *arg); /* it answers; NULL = never adopted */
	void (*ended)(struct worker *w, void *arg);
};

struct worker {
	struct daemon *d;
	const struct worker_owner *owner;
	void *arg;
	char vm[NAME_CAP], cgroup[CGROUP_FOLDER];
	struct process process;
	struct confinement home;
	int link, words; /* words: read end of its stdout and stderr */
	sd_event_source *link_source, *process_source, *linger;
	enum worker_phase phase;
	struct diagnostic *finding; /* DIAGNOSTIC_MOST are kept */
	uint32_t n_findings, n_findings_seen;
	struct msg_want *want;
	uint32_t n_wants;
	struct msg_plan plan;
	struct msg_invalid invalid;
	struct opening opening;
	int *grant; /* descriptors still to be sent, by want; -1 = sent */
	uint32_t n_granted;
	uint32_t sandbox; /* layers that hold, from READY */
	int box_fd;	  /* -1 until granted */
	struct blackbox_map box;
	uint64_t typed;	     /* bytes ever sent to be typed */
	uint64_t hold, held; /* serials of the last HOLD and of the last HELD */
	uint32_t holders;    /* WORKER_HOLD_*: who wants its vCPUs to stand */
	struct late late;    /* what it claims before worker_start() */
	bool is_held_back;   /* a standby's: it is assembled, and has not been given its START */
	bool is_replaced;    /* when it has gone, another is spawned in its place */
	bool is_reaped;
	bool is_adopting; /* ADOPT was sent and not answered: what comes was for the last supervisor */
	bool is_foreign;	/* it cannot be talked to: held by its pidfd alone */
	int64_t noticed_ms;	/* wall: when we first knew that it ends; 0 = it does not */
	enum cause fenced, cut; /* what we did to it; CAUSE_NONE = nothing */
	struct err why;		/* it was fenced for, or what it said */
	uint32_t freezes;
	bool is_frozen; /* its guest has met a fault and stands, for good */
	bool has_said;
	struct msg_ended said;
	struct ending ending; /* valid in ended */
	char detail[128];
	bool was_adopted;
	struct note_worker note; /* for the next supervisor */
};

struct worker_spec {
	const char *vm;
	const char *cgroup;	     /* folder name */
	uint32_t uid;		     /* to become; 0 = stay */
	const struct policy *policy; /* its limits */
	const char *config;
	size_t bytes;
	const char *folder; /* of the configuration; "" = none */
	uint64_t heartbeat_ms;
	uint32_t freezes; /* classes of ends that leave the guest standing: 1 << enum cause_class */
	bool ends_with_link; /* when nobody has the other end */
	bool is_held_back;   /* as in worker */
	bool has_ports;	     /* those that `allow-ports` gives the VM; else none */
	const struct worker_owner *owner;
	void *arg;
};

/* What an earlier supervisor has left of a worker. */
struct worker_legacy {
	const char *vm, *cgroup;
	struct process process;
	int link, words, box_fd; /* -1 = lost */
	struct msg_plan plan;
	uint32_t sandbox;
	bool runs; /* the guest is known to have been entered */
	bool is_foreign;
	bool is_held_back; /* as in worker */
	uint32_t
		holders; /* WORKER_HOLD_*: why its vCPUs stand; whatever else they stand for is over */
	uint32_t freezes; /* as in worker_spec */
	const char *home; /* its cgroup; "" = none of its own */
	const struct worker_owner *owner;
	void *arg;
};

/* Go on with it; descriptors are taken. It may have ended: then the owner hears of that. */
struct worker *worker_adopt(struct daemon *d, const struct worker_legacy *take);
/* Spawn and send CONFIG; the result comes to the owner. */
int worker_spawn(struct daemon *d, const struct worker_spec *s, struct worker **ret, struct err *e);
/* Grant all wants (the descriptors are taken), then ASSEMBLE; READY is the owner's to answer. */
void worker_grant(struct worker *w, int *take_fds);
/* Commands; a worker that does not read is fenced. */
void worker_start(struct worker *w);
/* Adopted: let its vCPUs go on if they stand for what only the last supervisor knew. */
void worker_settle(struct worker *w);
void worker_button(struct worker *w);
void worker_cut(struct worker *w, enum cause cause);
void worker_nmi(struct worker *w);
/* Its vCPUs shall stand, from worker_start() on; the owner hears of it by held. They go on when
 * nobody holds it any more. False: they stand already, for somebody else. */
bool worker_hold(struct worker *w, uint32_t holder);
void worker_release(struct worker *w, uint32_t holder);
/* What it says of its end or its guest's fault, made fit to be told. */
void worker_sane(struct msg_ended *m);
bool worker_is_held(const struct worker *w);
/* All of it is on its way to the guest, or nothing: ERR_UNREAD when the guest has no room for it, which is
 * no fault of the worker; ERR_UNAVAILABLE. */
int worker_input(struct worker *w, const struct msg_input *in, struct err *e);
/* It ends, and we know of it from now on at the latest. */
void worker_notice(struct worker *w);
/* SIGKILL. The first cause counts; why may be NULL. */
void worker_fence(struct worker *w, enum cause cause, const struct err *why);
/* What it wrote to stderr; reads the pipe dry. */
void worker_words(struct worker *w, char *ret, size_t cap);
/* For opening.c: nothing is left of the opening of a worker that was reaped before. */
void worker_opening_gone(struct worker *w);
struct worker *worker_free(struct worker *w); /* returns NULL */
