/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.h - the registry from the store, and the workers of an earlier supervisor. Supervisor, at
 * its start, before it serves: here, and only here, it waits, for a bounded time.
 *
 * Whoever runs is adopted, or left running where that cannot be. A worker whose guest was not entered
 * yet is ended before its VM may start again: fence, then start.
 */
#pragma once

#include "base/err.h"

struct daemon;
struct recall;

/* Load all VMs. A row that cannot be understood is reported and left alone. */
int recover_load(struct daemon *d, struct err *e);
/* Adopt, fence, explain, and arm what shall start. */
void recover_run(struct daemon *d, struct recall *r);
