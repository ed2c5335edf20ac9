/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life.h - the life of one VM in its worker, whoever holds its door: sandbox, black box, machine,
 * heartbeat, the end's record. Worker; owned by link.c (supervised) or alone.c (from a shell), whose
 * thread makes every call.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blackbox.h"
#include "base/err.h"
#include "base/sandbox.h"
#include "vmm/worker/feed.h"
#include "vmm/machine/machine.h"
#include "vmm/worker/want.h"

struct board;

struct life {
	struct board *board; /* owned once set */
	struct want_list wants;
	struct blackbox_map box;
	struct machine *machine;
	struct feed feed;
	uint32_t layers; /* of the sandbox that hold */
	int started_fd;	 /* eventfd: readable once the boot vCPU is at its first entry */
	int beat_fd;	 /* timerfd of the heartbeat */
	struct pollfd *poll;
	bool is_supervised;
};

/* What life_wait() saw. */
struct life_news {
	bool door;    /* the caller's own fd is readable */
	bool started; /* once */
	bool held;    /* machine_hold() is complete */
	bool fault;   /* machine_fault() tells which; its vCPUs are to stand */
	bool ended;   /* call life_end() */
	bool leave;   /* the user typed the end of the VM */
};

void life_init(struct life *l, bool is_supervised);
/* The sandbox and the first filter; `layers` says what holds. */
int life_close_sandbox(struct life *l, const struct sandbox_spec *s, struct err *e);
/* Every want is granted: map the box, build the machine. */
int life_assemble(struct life *l, uint64_t heartbeat_ms, struct err *e);
/* The final filter, then the guest. */
int life_start(struct life *l, struct err *e);
/* Wait for the door or the machine; the heartbeat and input are handled within. Works, for the door
 * alone, before there is a machine. */
int life_wait(struct life *l, int door_fd, struct life_news *ret, struct err *e);
/* The end of a machine_hold(), also for the box. */
void life_release(struct life *l);
/* After `ended`: join the machine. */
void life_end(struct life *l, struct machine_end *ret);
/* The guest met a fault and stands: the box's record says which. */
void life_note_fault(struct life *l, struct machine_end *ret);
/* How it ended becomes the box's record, if there is a box and it has none. */
void life_note_end(struct life *l, const struct machine_end *how);
/* The end of a life without a machine; err NULL = none. */
struct machine_end life_no_machine(enum cause cause, const struct err *err);
/* The same where it could not be assembled: the cause that belongs to the error. */
struct machine_end life_failed_start(const struct err *e);
void life_free(struct life *l);
