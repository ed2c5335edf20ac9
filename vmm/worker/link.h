/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - the supervised life: everything comes and goes over fd 3, as schemas/messages.def says.
 * Worker.
 *
 * CONFIG, then in the sandbox: DIAGNOSTIC* and INVALID, or WANT* and PLAN; GRANT*, ASSEMBLE, READY,
 * START, STARTED; BUTTON, NMI, CUT, INPUT, HOLD, HELD, RELEASE; FAULT; ENDED. Signals are no door: all that can be ignored are.
 * When the supervisor closes the link, the VM ends.
 */
#pragma once

/* VDEVS_FD: the folder of vdevs in shared objects, if the host has one. Both as in daemon/worker/worker.c. */
enum { LINK_FD = 3, VDEVS_FD = 4 };

/* Live; returns the exit status of the process. */
int link_run(void);
