/* SPDX-License-Identifier: Apache-2.0 */
/* dump.h - one dump out of the list that the server sends. qvmadm. */
#pragma once

#include <jansson.h>

#include "client/command.h"

/* The dump of that name, or 'newest' for the newest that is whole; the caller owns it. NULL with
 * *ret_status, having said why. */
json_t *dump_find(struct command_call *c, const char *vm, const char *name, int *ret_status);
