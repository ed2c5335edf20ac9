/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialogue.h - what a worker may say, phase by phase. Supervisor; on behalf of worker.c.
 *
 * Everything that comes is hostile. Each phase permits a finite number of messages; a breach ends
 * that worker alone, and whoever is being ended is no longer listened to.
 */
#pragma once

struct worker;

/* Take one burst from the link: 1 = there may be more, 0 = not now, -1 = the link is done. */
int dialogue_read(struct worker *w);
