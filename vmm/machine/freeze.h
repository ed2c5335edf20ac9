/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freeze.h - the guest's fault that is looked at instead of ending the machine: the first end of a
 * class that was named. Worker; part of struct machine. What stands then is hold.h's.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "vmm/machine/machine.h"

enum freeze_answer {
	FREEZE_NOT,   /* an end like another */
	FREEZE_FIRST, /* the caller has all vCPUs stand, then calls freeze_tell() */
	FREEZE_AGAIN, /* it is frozen already: nothing more happens to it */
};

struct freeze {
	int fd;		  /* eventfd: readable once a fault is told; -1 = none */
	uint32_t classes; /* 1 << enum cause_class; 0 = nothing freezes */
	_Atomic uint32_t is_taken;
	struct machine_end how;
};

int freeze_init(struct freeze *f, struct err *e);
/* Any thread. */
enum freeze_answer freeze_judge(struct freeze *f, const struct machine_end *how);
void freeze_tell(struct freeze *f);
void freeze_destroy(struct freeze *f);
