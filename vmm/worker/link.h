/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - the supervised life: everything comes and goes over fd 3, as schemas/messages.def says.
 * Worker.
 *
 * CONFIG, then in the sandbox: DIAGNOSTIC* and INVALID, or WANT* and PLAN; GRANT*, ASSEMBLE, READY,
 * START, STARTED; BUTTON, NMI, CUT, INPUT, HOLD, HELD, RELEASE; FAULT; ENDED. Signals are no door: all that can be ignored are.
 *
 * The supervisor's end outlives the supervisor (qvm-keeper has it too): another goes on with ADOPT.
 * When nobody has it any more, a guest that runs goes on running, unless its policy says
 * orphan_timeout_ms; before that the worker ends.
 */
#pragma once

#include "base/err.h"

/* VDEVS_FD: the folder of vdevs in shared objects, if the host has one. Both as in daemon/worker/worker.c. */
enum { LINK_FD = 3, VDEVS_FD = 4 };

/* A message to the supervisor; waits for room, but not for ever. */
int link_send(unsigned type, const void *body, struct err *e);
/* Live; returns the exit status of the process. */
int link_run(void);
