/* SPDX-License-Identifier: Apache-2.0 */
/*
 * halt.h - notices a machine in which every vCPU has halted with interrupts off. Worker.
 *
 * With an in-kernel local APIC KVM handles HLT by itself (KVM_EXIT_HLT never comes), so a dead guest
 * looks like an idle one. KVM's own counters (KVM_GET_STATS_FD, section 4.133) tell from outside who
 * sleeps. A machine that sleeps through a whole beat is asked once, vCPU by vCPU; if all sleep with
 * interrupts off and none woke until the next beat, nothing can wake it. A busy or an idle guest
 * that ticks is never disturbed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct blackbox_map;
struct vcpu;

struct halt {
	struct vcpu *vcpu;
	unsigned n;
	struct blackbox_map *box;
	int *stats_fd; /* one a vCPU; NULL where KVM has no counters: nothing is noticed then */
	uint64_t blocking_at, halts_at; /* offsets into the counters */
	uint64_t halts;			/* at the last beat */
	enum { HALT_AWAKE, HALT_ASLEEP, HALT_ASKED, HALT_ANSWERED } stage;
};

void halt_init(struct halt *h, struct vcpu *vcpu, unsigned n, struct blackbox_map *box);
/* At each heartbeat. True: the machine is dead. Also shows sleeping vCPUs as halted in the box. */
bool halt_beat(struct halt *h);
void halt_destroy(struct halt *h);
/* On the vCPU's own thread, outside the guest: halted with interrupts off, no NMI under way. A vCPU
 * that waits for INIT and SIPI counts too. */
bool halt_is_for_good(int vcpu_fd);
