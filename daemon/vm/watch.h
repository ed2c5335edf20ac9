/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - looks at the heartbeats in the black boxes, one timer for all VMs, armed only while one
 * runs. Supervisor; part of struct daemon. health.c judges.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

struct daemon;

struct watch {
	sd_event_source *timer; /* NULL = nobody runs */
	uint64_t tick_ms;
};

/* A VM runs: look from now on, as often as the quickest heartbeat needs. */
void watch_arm(struct daemon *d);
void watch_close(struct daemon *d);
