/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach.h - a terminal at the console of a VM: what the guest prints, and what is typed. qvmadm.
 *
 * It asks from its position again and again instead of following one answer: only the headers of an
 * answer say which worker its bytes are of and where they end, and with that nothing is lost or
 * told twice when the API dies or the VM starts anew.
 */
#pragma once

#include <stdbool.h>

struct command_call;

struct attach_how {
	char escape; /* the key that detaches */
	bool by_force, is_read_only;
};

enum {
	ATTACH_TAIL = 20,	  /* lines that are shown again */
	ATTACH_TYPED = 16 * 1024, /* bytes that wait to be sent */
	ATTACH_BRISK_MS = 10,	  /* between two looks while something happens */
	ATTACH_IDLE_MS = 100,	  /* and when nothing does */
	ATTACH_STATE_MS = 500,	  /* between two looks at the state of the VM */
	ATTACH_AGAIN_MS = 100,	  /* until a broken-off call is made again */
	ATTACH_AWAY_MS = 2000,	  /* a server away for longer is spoken of */
};

/* stdin and stdout are a terminal, which is as it was when this returns: the exit status. A SIGINT,
 * SIGTERM or SIGHUP that is sent to it ends the process, after the terminal is as it was. */
int attach_run(struct command_call *c, const char *vm, const struct attach_how *how);
