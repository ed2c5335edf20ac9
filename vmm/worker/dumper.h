/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumper.h - the helper of a lone worker whose configuration has `dump`: a process forked before the
 * sandbox closes, which keeps the user's rights, opens the dump's file or runs its shell command, and
 * writes. It ends with the worker. The lone worker's loop owns it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct board;

struct dumper {
	int fd; /* readable when the helper has an answer; -1 = the board has no `dump` */
	bool is_busy;
};

/* Fork it. ram_fd and box_fd are those of the worker; it keeps copies. ERR_RESOURCE when the folder
 * of the dumps cannot be opened. */
int dumper_spawn(struct dumper *d, const struct board *b, int ram_fd, int box_fd, struct err *e);
/* Have it write a dump now: the vCPUs are held or have ended. False if it is at one, or has died. */
bool dumper_ask(struct dumper *d);
/* Read its answer and log it; true when it has one, or has died. May wait, if may_wait. */
bool dumper_answer(struct dumper *d, bool may_wait);
void dumper_close(struct dumper *d);
