/* SPDX-License-Identifier: Apache-2.0 */
/*
 * absent.h - what somebody names and is not there: one sentence and one hint for supervisor and API,
 * so that it makes no difference who of them looked.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* All are ERR_NOT_FOUND and return -1. */
int absent_vm(const char *vm, struct err *e);
int absent_token(const char *name, struct err *e);
/* newest and oldest: of the revisions that are kept. */
int absent_revision(const char *vm, int64_t revision, int64_t newest, int64_t oldest,
		    struct err *e);
