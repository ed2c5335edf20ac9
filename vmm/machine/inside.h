/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what a machine is made of, for the files that are one: machine.c, service.c, stand.c. Worker. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "vmm/machine/alarm.h"
#include "vmm/machine/end.h"
#include "vmm/machine/freeze.h"
#include "vmm/machine/gate.h"
#include "vmm/machine/halt.h"
#include "vmm/machine/hold.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/memory.h"
#include "vmm/machine/space.h"
#include "vmm/machine/vcpu.h"

struct machine {
	struct board *board;
	struct blackbox_map *box;
	int kvm_fd, vm_fd;
	bool has_lines; /* the board has a PIC */
	struct memory memory;
	struct space space[2]; /* by enum vdev_space */
	struct gate gate;
	struct hold hold;
	uint64_t held_ns; /* since when; 0 = it is not held */
	struct end end;
	struct freeze freeze;
	struct alarm alarm;
	struct vcpu_ground ground;
	struct vcpu *vcpu;
	unsigned n_vcpus; /* made so far */
	struct halt halt;
	pthread_mutex_t console; /* taken last: the ring in the box has one writer at a time */
	void (*started)(void *arg);
	void *started_arg;
};

/* Every vCPU, out of the guest. */
void machine_kick(struct machine *m);
/* The exit code that belongs to the cause, where it has none of its own. */
void machine_end_whole(struct machine_end *how);
