/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shutdown.h - the ordered end of the supervisor: VMs in the reverse of their start order, then the
 * dumps that are being written of them, then the API, then the loop; each stage has its bound. What was
 * wished for stays wished for: the next supervisor starts it again. Or it leaves the VMs running, for the
 * next one to adopt.
 */
#pragma once

struct daemon;

/* Begin, by one signal of these. A second one hurries to the next stage. */
enum shutdown_how { SHUTDOWN_AS_SET, SHUTDOWN_STOP, SHUTDOWN_LEAVE };
void shutdown_begin(struct daemon *d, enum shutdown_how how);
/* What each stage does to the workers, for whoever stops them without an end of the supervisor. */
void shutdown_press(struct daemon *d);
void shutdown_cut(struct daemon *d);
void shutdown_fence(struct daemon *d);
/* A dump is whole, or will not be. */
void shutdown_dump_over(struct daemon *d);
