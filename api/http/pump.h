/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h - libmicrohttpd's turns on the event loop, through however many doors. qvm-api; owned by http.c.
 *
 * A door runs when its epoll has something, when the time has come that libmicrohttpd asked for, or
 * when it is woken. What asks for another turn at once gets a few, then the loop has its own.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

struct MHD_Daemon;
struct pump;

/* on_stall is called when libmicrohttpd asks for turn after turn and has called nobody in any. */
struct pump *pump_new(sd_event *loop, void (*on_stall)(void *arg), void *arg);
/* Stops the doors. */
void pump_free(struct pump *p);
/* One more door; taken whatever the result. */
int pump_add(struct pump *p, struct MHD_Daemon *take_door, struct err *e);
/* The doors take no more connections. */
void pump_shut(struct pump *p);

void pump_turn(struct pump *p);
/* A turn soon: there is something to do that no descriptor tells. */
void pump_wake(struct pump *p);
/* From each callback of libmicrohttpd: it has got on. */
void pump_moved(struct pump *p);
