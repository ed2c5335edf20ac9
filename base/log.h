/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one line for people, with fields for machines. Every process.
 *
 * A line goes to the process's sink: stderr by default, the journal in the supervisor and the API
 * (base/journal.h), the black box in a worker. Library code does not log; programs log once.
 * Priorities are syslog's.
 */
#pragma once

#include <stdint.h>
#include <syslog.h>

#include "base/err.h"

struct loggers;

/* What the line is about. Zero members are left out. The fields are described in SPECIFICATION.md. */
struct log_about {
	const char *vm;		/* QVM_VM */
	const char *event;	/* QVM_EVENT */
	const char *cause;	/* QVM_CAUSE */
	int64_t incident;	/* QVM_INCIDENT: its number; what follows is about that end */
	int64_t generation;	/* QVM_GENERATION of the VM */
	const char *signal;	/* QVM_SIGNAL, "SIGKILL" */
	const char *syscall;	/* QVM_SYSCALL, the name of a forbidden one */
	const char *message_id; /* MESSAGE_ID, 32 hex digits */
	uint64_t request;	/* QVM_REQUEST, as 16 hex digits */
	const struct err *err;	/* QVM_ERR; its origin becomes CODE_FILE and CODE_LINE */
	const struct loggers
		*loggers; /* a worker's: where lines of that vdev go (vmm/conf/loggers.h) */
};

struct log_line {
	int priority;
	const char *file;
	int line;
	const struct log_about *about;
	const char *text;
};

typedef void log_sink(const struct log_line *l);

/* Once, in main(), before threads. ident must live on. */
void log_open(const char *ident, log_sink *sink, int max_priority);
const char *log_ident(void);
/* The default sink: "<ident>: text" on stderr, with the error's hint on a second line. */
log_sink log_to_stderr;

void log_at(int priority, const char *file, int line, const struct log_about *about,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#define log_error(about, ...) log_at(LOG_ERR, __FILE__, __LINE__, (about), __VA_ARGS__)
#define log_warn(about, ...)  log_at(LOG_WARNING, __FILE__, __LINE__, (about), __VA_ARGS__)
#define log_info(about, ...)  log_at(LOG_INFO, __FILE__, __LINE__, (about), __VA_ARGS__)
#define log_debug(about, ...) log_at(LOG_DEBUG, __FILE__, __LINE__, (about), __VA_ARGS__)
