/* SPDX-License-Identifier: Apache-2.0 */
/* condition.h - what `wait` waits for: a column of a VM, an event about it, its end. qvmadm. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct condition {
	char column[16]; /* desired observed health cause event operation; "" = gone */
	char word[32];
};

/* "state=running", "health=failed", "cause=watchdog", "desired=stopped", "event=safe", "operation",
 * "gone". ERR_USAGE. */
int condition_read(const char *text, struct condition *ret, struct err *e);
/* By what an event says, so that a state which has passed already is not missed. */
bool condition_is_told(const struct condition *c, const json_t *event);
/* By how the VM is now; never of an event. */
bool condition_is_met(const struct condition *c, const json_t *vm);
/* "observed running", "gone" */
const char *condition_text(const struct condition *c, char ret[static 64]);
