/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - where a worker's log lines go: under the supervisor into the black box, alone to where
 * the board's `logger` options say. Worker; any thread.
 *
 * QNX's filter words stand for syslog priorities: fatal (alert), internal (crit), error, warn, info,
 * debug, verbose (one beyond debug).
 */
#pragma once

#include <stdbool.h>

#include "base/log.h"

struct board;
struct blackbox_map;

enum { REPORT_VERBOSE = LOG_DEBUG + 1 };

#define report_fatal(about, ...)    log_at(LOG_ALERT, __FILE__, __LINE__, (about), __VA_ARGS__)
#define report_internal(about, ...) log_at(LOG_CRIT, __FILE__, __LINE__, (about), __VA_ARGS__)
#define report_verbose(about, ...)  log_at(REPORT_VERBOSE, __FILE__, __LINE__, (about), __VA_ARGS__)

/* Before a board is known: the default filters, to stderr. */
void report_open(void);
/* The board's loggers; opens the system log if one of them names it. Alone, before the sandbox. */
void report_to_loggers(const struct board *b);
/* From now on into the box too, or, under the supervisor, into it alone. */
void report_to_box(struct blackbox_map *box, const struct board *b, bool is_supervised);
void report_leave_box(void); /* it is about to be unmapped */
