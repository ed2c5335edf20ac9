/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - looks at the signs of life in the black boxes, one timer for all VMs, armed only while one
 * runs. Supervisor; part of struct daemon. health.c judges.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

struct daemon;
struct policy;
struct vm;

struct watch {
	sd_event_source *timer; /* NULL = nobody runs */
	uint64_t tick_ms;
};

/* A VM runs from now on: look at it. */
void watch_begin(struct daemon *d, struct vm *v, uint64_t now_ms);
/* It runs under this policy from now on. A deadline that is another one begins now. */
void watch_take_policy(struct daemon *d, struct vm *v, const struct policy *p, uint64_t now_ms);
/* Look as often as the shortest deadline of those that run needs. */
void watch_arm(struct daemon *d);
void watch_close(struct daemon *d);
