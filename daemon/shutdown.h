/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shutdown.h - the ordered end of the supervisor: VMs in the reverse of their start order, then the
 * API, then the loop; each stage has its bound. What was wished for stays wished for: the next supervisor starts it again.
 */
#pragma once

struct daemon;

/* SIGTERM: begin; a second one hurries to the next stage. */
void shutdown_step(struct daemon *d);
/* What each stage does to the workers, for whoever stops them without an end of the supervisor. */
void shutdown_press(struct daemon *d);
void shutdown_cut(struct daemon *d);
void shutdown_fence(struct daemon *d);
