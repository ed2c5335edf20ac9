/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again.h - how what broke off is taken up again: told once, with pauses that double up to 5 s. qvmadm;
 * part of whoever follows something.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct again {
	int64_t pause_ms; /* the next one; 0 = the first */
	bool is_told;
};

/* The server is gone, or (503) there without its supervisor: both pass. `status` counts if e is ERR_OK. */
bool again_may(const struct err *e, long status);
/* Something has come: the next loss is a new one. */
void again_forget(struct again *a);
/* "the log of 'brake' broke off", once. */
void again_tell(struct again *a, const char *what, const char *of);
/* How long to wait now. */
int64_t again_pause(struct again *a);
