/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loggers.h - which kinds of message go where: the `logger` options of a board, or the `log` of one
 * vdev. Worker; written while the configuration is read, afterwards read by any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_filter {
	LOG_FILTER_FATAL,
	LOG_FILTER_INTERNAL,
	LOG_FILTER_ERROR,
	LOG_FILTER_WARN,
	LOG_FILTER_INFO,
	LOG_FILTER_DEBUG,
	LOG_FILTER_VERBOSE,
	LOG_FILTERS,
};

enum log_dest { LOG_DEST_STDOUT, LOG_DEST_STDERR, LOG_DEST_SLOG, LOG_DEST_NONE, LOG_DESTS };

/* One row for each destination that was named, in the order of the configuration. */
struct loggers {
	struct {
		uint32_t filters; /* bit n = enum log_filter n */
		enum log_dest dest;
	} to[LOG_DESTS];
	unsigned n;
};

/* One kind goes to every destination that names it; `none` takes it from all of them, and a later
 * destination from `none`. */
void loggers_route(struct loggers *l, uint32_t filters, enum log_dest dest);
/* Some destination, `none` too, has been named for this kind. */
bool loggers_have(const struct loggers *l, enum log_filter filter);
bool loggers_name(const struct loggers *l, enum log_dest dest);

/* The words of the language. `log` of a vdev writes "warning" where `logger` writes "warn". */
extern const char *const loggers_filter_word[LOG_FILTERS];
extern const char *const loggers_dest_word[LOG_DESTS];
