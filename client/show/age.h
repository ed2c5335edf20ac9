/* SPDX-License-Identifier: Apache-2.0 */
/*
 * age.h - time for people: how long ago, how long it took, at what hour. qvmadm.
 * The server sends RFC 3339; `now` is always an argument (milliseconds of wall time).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { AGE_TEXT = 32 };

/* Wall milliseconds of an RFC 3339 time; -1 when it is none. */
int64_t age_parse(const char *rfc3339);
/* "3m ago", "just now", "in a moment", "in 4s"; "-" for what is no time. */
const char *age_text(const char *rfc3339, int64_t now_ms, char ret[static AGE_TEXT]);
/* "34 ms", "1.2 s", "3m 20s", "2h 05m", "4d 3h" */
const char *age_span(int64_t ms, char ret[static AGE_TEXT]);
/* "2026-11-23 07:14:02.123" in the local time zone; "-" for what is no time. */
const char *age_local(const char *rfc3339, char ret[static AGE_TEXT]);
/* "500ms", "30s", "5m", "2h", "90d" or plain seconds, into milliseconds; ERR_USAGE. */
int age_read_span(const char *text, int64_t *ret_ms, struct err *e);
/* How long before now_ms: a span as above with its unit ("10m"), "today", "yesterday", or a local time
 * "YYYY-MM-DD[ HH:MM[:SS]]" or RFC 3339. ERR_USAGE; also for what is still to come. */
int age_read_since(const char *text, int64_t now_ms, int64_t *ret_ms, struct err *e);
