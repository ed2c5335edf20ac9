/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follower.h - what a guest prints or its worker logs, followed: over workers, and over the loss of the
 * server, without losing or repeating a byte that the black box still keeps. qvmadm.
 *
 * Each answer is of one worker and without a gap (gapless=1), so that what came of it tells where the
 * next one goes on.
 */
#pragma once

#include "client/command.h"
#include "client/show/screen.h"

struct follower_source {
	enum op_id op;
	const char *what;		   /* "log" */
	const char *position, *generation; /* the headers that tell where an answer begins */
};

/* tail: begin with the last so many lines; -1 = with all that is kept. Returns the exit status, when
 * the VM is deleted, whoever reads stdout goes, or the server refuses. */
int follower_run(struct command_call *c, const struct follower_source *source, const char *vm,
		 long tail, struct screen *screen);
