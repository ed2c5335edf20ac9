/* SPDX-License-Identifier: Apache-2.0 */
/* cause.h - why a VM ended; the table is causes.def. All processes. */
#pragma once

#include <stdbool.h>

enum cause {
#define CAUSE(sym, id, exit, class, sentence) CAUSE_##sym,
#include "schemas/causes.def"
#undef CAUSE
	CAUSE_COUNT
};

enum cause_class {
	CAUSE_CLASS_STOP,
	CAUSE_CLASS_POWEROFF,
	CAUSE_CLASS_REBOOT,
	CAUSE_CLASS_WATCHDOG,
	CAUSE_CLASS_FAILURE,
};

/* All take a value that may come from another process: what is out of range reads as the row
 * WORKER_EXIT. */
const char *cause_id(unsigned c);
const char *cause_sentence(unsigned c);
enum cause_class cause_class(unsigned c);
int cause_exit(unsigned c); /* QNX's exit status, or -1 */
/* An incident is written: failures and watchdog bites. */
bool cause_is_failure(unsigned c);
/* It leaves a guest whose vCPUs can stand and be looked at: what the guest itself did or met. */
bool cause_can_freeze(unsigned c);
enum cause cause_from_id(const char *id); /* CAUSE_NONE when unknown */
