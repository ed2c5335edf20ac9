/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostsafe.h - the safe state of the whole host: entered when the supervisor's own ground gives way
 * (schemas/ground.def), left by an operator once it holds again. Supervisor; part of struct daemon.
 *
 * In it no VM is started, by nobody; those that run are kept, or stopped, as `on-host-fault` says.
 * systemd's watchdog is fed from here, and only while the ground holds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "daemon/decide/ground.h"

struct daemon;

struct hostsafe {
	enum ground reason; /* latched; GROUND_HOLDS = not in it */
	enum ground last;   /* what the last look found */
	int64_t since_ms;   /* wall; 0 = not in it */
	struct ground_watch watch;
	sd_event_source *tick, *stopper;
	uint64_t period_ms;
	unsigned stop_stage; /* of the VMs, with on-host-fault = stop */
	bool feeds_watchdog;
};

/* Look for the first time, and from now on. */
void hostsafe_open(struct daemon *d);
void hostsafe_close(struct daemon *d);
/* ERR_HOST in the safe state: no VM is to be started. */
int hostsafe_must_not(const struct daemon *d, struct err *e);
/* An operator wants to leave it: looks again; ERR_HOST while the ground does not hold. */
int hostsafe_release(struct daemon *d, uint64_t request, struct err *e);
