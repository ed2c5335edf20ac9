/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumps.h - the calls about dumps that lie on the disk: list them, hand one to the API, remove one.
 * Supervisor; part of struct daemon.
 *
 * The supervisor looks into no folder itself: an opener does, and what it opens is handed on as it comes,
 * unread. Who waits too long is told so, and the opener is left to the kernel.
 */
#pragma once

struct daemon;
struct dumps_visit;

enum { DUMPS_MOST_AT_ONCE = 8 };

struct dumps_set {
	struct dumps_visit *slot[DUMPS_MOST_AT_ONCE];
};

/* Drop those that are under way; nobody is answered any more. */
void dumps_close(struct daemon *d);
