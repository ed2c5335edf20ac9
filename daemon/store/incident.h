/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident.h - what is kept of a failure: cause, last exits, last lines, state of each vCPU, and
 * what follows. Cut from the black box of a worker that has gone. Supervisor.
 *
 * Every byte of the box was chosen by the worker or the guest: counts are those of the mapping,
 * texts are made printable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blackbox.h"
#include "base/err.h"
#include "base/name.h"
#include "daemon/decide/ending.h"

struct store;

enum {
	INCIDENT_EXITS = 32,
	INCIDENT_VCPUS = 64,
	INCIDENT_LINES = 30,
	INCIDENT_TEXT = 8 * 1024,
	INCIDENT_REGS = 23,
};

struct incident_vcpu {
	uint32_t state; /* enum blackbox_vcpu_state */
	uint64_t rip, exits;
	bool has_regs;
	uint64_t reg[INCIDENT_REGS]; /* rax to r15, rip, rflags, cr0, cr2, cr3, cr4, efer */
};

struct incident {
	int64_t id; /* given by ledger_incident() */
	char vm[NAME_CAP];
	int64_t at_ms; /* wall */
	int64_t generation, revision;
	struct ending ending;
	char sentence[384], detail[128], reaction[256];
	struct err err;	 /* code ERR_OK when there is none */
	uint64_t end_ns; /* monotonic; the exits are told as so long before it */
	uint64_t uptime_ms;
	int64_t noticed_ms;		    /* wall: when the supervisor first knew */
	uint64_t cpu_ms, peak_bytes, exits; /* that its worker had used; 0 = not known */
	char console[INCIDENT_TEXT], log[INCIDENT_TEXT];
	struct blackbox_exit exit[INCIDENT_EXITS];
	size_t n_exits;
	struct incident_vcpu vcpu[INCIDENT_VCPUS];
	size_t n_vcpus;
};

/* Fill what the box knows; box may be unmapped. words: what the worker wrote to stderr, or "". */
void incident_cut(struct incident *i, const struct blackbox_map *box, const char *words,
		  uint64_t now_ns);
int incident_write(struct store *s, const struct incident *i, struct err *e);
/* The newest number that was ever given and is still known of; 0 = none yet. */
int incident_newest(struct store *s, int64_t *ret, struct err *e);
/* Forget those of a VM beyond the newest `keep` (0 = none) and those before a wall time. */
int incident_prune(struct store *s, const char *vm, uint64_t keep, int64_t before_ms,
		   struct err *e);
/* The dump of the guest of that worker is whole. */
int incident_note_dump(struct store *s, const char *vm, int64_t generation, const char *path,
		       struct err *e);
/* "SIGKILL"; "" for 0. */
const char *incident_signal(int signal, char ret[static 24]);
/* "socket"; "" when unknown. */
const char *incident_syscall(int nr, char ret[static 48]);
