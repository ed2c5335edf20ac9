/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu.h - one virtual processor: a KVM vCPU and the thread that runs it. Worker; owned by struct
 * machine.
 *
 * The thread is made at assembly, waits at the gate, then enters the guest again and again and
 * handles what it leaves for, until the machine has ended. Everything it meets is written to its
 * row of the black box.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct blackbox_map;
struct board;
struct end;
struct gate;
struct hold;
struct kvm_run;
struct space;

/* What all vCPUs of a machine stand on. Nothing here changes once the gate is open. */
struct vcpu_ground {
	const struct space *memory, *port;
	const struct board *board; /* its `unsupported` policy */
	struct blackbox_map *box;
	struct gate *gate;
	struct end *end;
	struct hold *hold;
	void (*started)(void *arg); /* on the boot vCPU's thread, before its first entry */
	void *started_arg;
};

struct vcpu {
	const struct vcpu_ground *ground;
	unsigned index; /* also its APIC id; 0 is the boot vCPU */
	int fd;
	struct kvm_run *run;
	size_t run_bytes;
	pthread_t thread;
	bool has_thread;
	bool is_settled; /* no instruction is in the middle; its own thread's */
	bool is_off;	 /* waits for INIT and SIPI; its own thread's */
	_Atomic bool wants_nmi;
	_Atomic bool is_probed;	  /* asked whether it sleeps for good */
	_Atomic bool is_dead_end; /* the answer: halted with interrupts off */
};

/* The KVM vCPU and its shared page; run_bytes from KVM_GET_VCPU_MMAP_SIZE. */
int vcpu_create(struct vcpu *v, const struct vcpu_ground *ground, unsigned index, int vm_fd,
		size_t run_bytes, struct err *e);
/* The thread; it waits at the gate. */
int vcpu_spawn(struct vcpu *v, struct err *e);
/* Out of the guest, wherever the thread is now: it will look at the end and at is_probed. */
void vcpu_kick(struct vcpu *v);
/* Ask the vCPU whether it is halted with interrupts off; is_dead_end tells, some time later. */
void vcpu_probe(struct vcpu *v);
/* Have it take a non-maskable interrupt. */
void vcpu_nmi(struct vcpu *v);
/* Waits for the thread, which ends with the machine. Its registers are in the box then. */
void vcpu_join(struct vcpu *v);
void vcpu_destroy(struct vcpu *v); /* a half-made one is fine */
/* Once, before the first vcpu_spawn(): the signal that kicks. */
int vcpu_prepare(struct err *e);
