/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - one-shot timers on the supervisor's loop: deadlines and back-offs. Supervisor. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

/* (Re)arm *t to call fn(arg) once, delay_ms from now. The handler is called with *t disarmed. */
void timer_set(sd_event *loop, sd_event_source **t, uint64_t delay_ms, sd_event_time_handler_t fn,
	       void *arg);
void timer_clear(sd_event_source **t);
