/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dumpsource.h - what a dump of the present worker's guest is made of and where it goes, kept from what
 * the worker is granted until it has gone: so a dump needs nothing of the worker. Supervisor; part of
 * struct vm.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct msg_want;

struct dumpsource {
	int ram_fd; /* read-only; -1 = none */
	int dir_fd; /* the folder of its `dump`; -1: one of the supervisor's own */
	char *folder;
	uint64_t ram_bytes;
};

struct dumpsource dumpsource_none(void);
/* From what is to be granted, before it is sent: the folder is taken, the worker gets nothing of it. */
int dumpsource_keep(struct dumpsource *s, const struct msg_want *want, uint32_t n_wants, int *grant,
		    struct err *e);
/* Let go of it. */
void dumpsource_forget(struct dumpsource *s);
