/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - the world around the supervisor's decisions: a virtual clock, timers on it, workers that
 * are only talk, a disk that can refuse, a supervisor that can die. tests/sim only.
 *
 * Lifecycle, policy, ledger and store are the real ones: world.c stands in for the nouns at their
 * edges (talker.c for workers, survivor.c for adoption) by defining the same functions, so the linker takes these instead of the archive's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon.h"
#include "daemon/worker/worker.h"
#include "schemas/cause.h"

enum { WORLD_WORKERS = 64 };

/* A worker without a process. */
struct talker {
	struct worker w; /* first: the supervisor knows only this */
	bool is_pressed; /* its power button was */
	bool is_given_start;
	bool is_claiming; /* what two VMs may want */
	bool is_kept;	  /* for the next supervisor */
	int64_t generation;
};

struct world {
	struct daemon d;
	char folder[64], path[96]; /* of the database */
	bool is_disk_full;
	bool is_start_refused; /* worker_spawn() has no resources */
	struct worker *worker[WORLD_WORKERS];
	unsigned n_workers;
	uint64_t n_spawns;
	unsigned n_boots;      /* of the host */
	int64_t clock_step_ms; /* what somebody has set the wall clock by */
};

extern struct world world;

void world_open(void);
void world_close(void);
/* The supervisor is killed and another one begins. */
void world_crash(void);
/* The host with it. */
void world_reboot(void);
/* What that worker claims late. */
void world_disks(struct worker *w);
/* survivor.c: workers whose guest was not entered end with the supervisor. */
void world_bury(void);
void world_forget(struct worker *w);
void world_disk(bool is_full);
/* Let time pass; timers fire in order. */
void world_wait(uint64_t ms);
uint64_t world_now_ms(void);
/* Define a VM with that policy; false = refused by the disk. */
bool world_define(const char *vm, const struct policy *p);

/* What a worker does. False = it cannot, in its state. */
bool world_worker_starts(struct worker *w); /* or is ready, where it is held back */
/* Its late claims are answered; why NULL = all is its own. */
bool world_worker_claims(struct worker *w, const struct err *why);
bool world_worker_stands(struct worker *w); /* HELD */
/* FAULT, where its policy has the guest stand. */
bool world_worker_faults(struct worker *w, enum cause cause);
void world_worker_says(struct worker *w, enum cause cause); /* ENDED, then exits as it said */
void world_worker_dies(struct worker *w, int signal);
/* Does what the supervisor has asked for: dies of SIGKILL, obeys CUT or the button. */
bool world_worker_obeys(struct worker *w);

/* A broken invariant ends the program. */
#define WORLD_MUST(x)                                                                              \
	do {                                                                                       \
		if (!(x))                                                                          \
			world_broken(__FILE__, __LINE__, #x);                                      \
	} while (0)
void world_broken(const char *file, int line, const char *what) __attribute__((noreturn));
