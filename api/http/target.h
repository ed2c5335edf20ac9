/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - the target of a request as it came over the wire: split, decoded, never guessed at.
 * Pure. qvm-api.
 *
 * libmicrohttpd would accept bad percent escapes and cut at %00; it is told to leave the target
 * alone, and this is the only decoder.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum { TARGET_MAX = 4096, TARGET_PATH = 512 };

/* The path of "/v1/vms/a%2Db?x=1" into ret, *ret_query to what follows '?' (or ""). ERR_INVALID:
 * not a path, a bad escape, an escaped '/', a control byte, too long. */
int target_path(const char *target, char ret[static TARGET_PATH], const char **ret_query,
		struct err *e);
/* Decode n bytes of a query's name or value. */
int target_decode(const char *s, size_t n, char *ret, size_t cap, struct err *e);
