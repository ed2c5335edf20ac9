/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/report.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/blackbox.h"
#include "base/str.h"
#include "vmm/conf/board.h"
#include "vmm/vdev/vdev.h"

enum {
	FILTERS_DEFAULT = 1 << LOG_FILTER_FATAL | 1 << LOG_FILTER_INTERNAL | 1 << LOG_FILTER_ERROR |
			  1 << LOG_FILTER_WARN | 1 << LOG_FILTER_INFO
};
enum { LINE_CAP = 1536 };

/* The log is one per process and has no other owner than this file. */
static struct {
	pthread_mutex_t lock; /* the ring of the box has one writer at a time */
	struct loggers loggers;
	struct blackbox_map *box;
	bool is_supervised;
	int slog_fd; /* connected to the system log; -1 = none */
} out = {.lock = PTHREAD_MUTEX_INITIALIZER, .slog_fd = -1};

static enum log_filter filter_of(int priority)
{
	static const uint8_t filter[] = {
		[LOG_EMERG] = LOG_FILTER_FATAL,	       [LOG_ALERT] = LOG_FILTER_FATAL,
		[LOG_CRIT] = LOG_FILTER_INTERNAL,      [LOG_ERR] = LOG_FILTER_ERROR,
		[LOG_WARNING] = LOG_FILTER_WARN,       [LOG_NOTICE] = LOG_FILTER_INFO,
		[LOG_INFO] = LOG_FILTER_INFO,	       [LOG_DEBUG] = LOG_FILTER_DEBUG,
		[REPORT_VERBOSE] = LOG_FILTER_VERBOSE,
	};

	return (size_t)priority < NELEMS(filter) ? filter[priority] : LOG_FILTER_VERBOSE;
}

/* RFC 3164 without the time: the system log adds it. Facility daemon. */
static void put_slog(const struct log_line *l)
{
	char line[LINE_CAP];
	int priority = l->priority > LOG_DEBUG ? LOG_DEBUG : l->priority;
	int n = snprintf(line, sizeof line, "<%d>qvm: %s", LOG_DAEMON | priority, l->text);

	if (n >= LINE_CAP)
		n = LINE_CAP - 1;
	if (out.slog_fd >= 0)
		(void)!send(out.slog_fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void put(int fd, const char *line, size_t n)
{
	static const char ident[] = "qvm: ";
	struct iovec piece[] = {{(void *)ident, sizeof ident - 1}, {(void *)line, n}};

	/* A log line that nobody can take is lost; there is no place left to say so. */
	(void)!writev(fd, piece, NELEMS(piece));
}

static const char *word_of(enum log_filter filter)
{
	static const char *const word[] = {
		[LOG_FILTER_FATAL] = "fatal: ", [LOG_FILTER_INTERNAL] = "internal error: ",
		[LOG_FILTER_ERROR] = "error: ", [LOG_FILTER_WARN] = "warning: ",
		[LOG_FILTER_INFO] = "",		[LOG_FILTER_DEBUG] = "debug: ",
		[LOG_FILTER_VERBOSE] = "",
	};

	return word[filter];
}

static void sink(const struct log_line *l)
{
	const struct err *err = l->about ? l->about->err : NULL;
	const struct loggers *own = l->about ? l->about->loggers : NULL;
	enum log_filter filter = filter_of(l->priority);
	const struct loggers *loggers = own && loggers_have(own, filter) ? own : &out.loggers;
	char line[LINE_CAP];
	size_t n = 0, first;
	bool in_box = false;

	str_add(line, sizeof line, &n, "%s%s", word_of(filter), l->text);
	first = n;
	if (err && err->code && err->code < ERR_COUNT && filter <= LOG_FILTER_ERROR)
		str_add(line, sizeof line, &n, "\nqvm: hint: %s", err_advice(err));
	str_add(line, sizeof line, &n, "\n");
	pthread_mutex_lock(&out.lock);
	for (unsigned i = 0; i < loggers->n; i++) {
		enum log_dest dest = loggers->to[i].dest;
		int fd = dest == LOG_DEST_STDOUT ? STDOUT_FILENO : STDERR_FILENO;

		if (!(loggers->to[i].filters >> filter & 1) || dest == LOG_DEST_NONE)
			continue;
		in_box = true;
		if (out.is_supervised && out.box)
			continue;
		if (dest == LOG_DEST_SLOG && out.slog_fd >= 0)
			put_slog(l);
		else
			put(fd, line, n);
	}
	if (filter == LOG_FILTER_INTERNAL)
		put_slog(l);
	line[first] = '\0';
	if (out.box && (in_box || filter <= LOG_FILTER_ERROR))
		blackbox_log(out.box, line);
	pthread_mutex_unlock(&out.lock);
}

static void open_slog(void)
{
	static const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&log, sizeof log) == 0)
		out.slog_fd = TAKE_FD(fd);
	else
		log_warn(NULL, "no system log listens at /dev/log (%m); its lines go to stderr");
}

static void take(const struct board *b)
{
	if (b->loggers.n == 0)
		return;
	pthread_mutex_lock(&out.lock);
	out.loggers = b->loggers; /* an explicit logger replaces the default */
	pthread_mutex_unlock(&out.lock);
}

void report_open(void)
{
	loggers_route(&out.loggers, FILTERS_DEFAULT, LOG_DEST_STDERR);
	log_open("qvm", sink, REPORT_VERBOSE);
}

static bool wants_slog(const struct board *b)
{
	for (unsigned i = 0; i < b->n_vdevs; i++)
		if (b->vdev[i]->loggers && loggers_name(b->vdev[i]->loggers, LOG_DEST_SLOG))
			return true;
	return loggers_name(&b->loggers, LOG_DEST_SLOG);
}

void report_to_loggers(const struct board *b)
{
	take(b);
	if (out.slog_fd < 0 && wants_slog(b))
		open_slog();
}

void report_to_box(struct blackbox_map *box, const struct board *b, bool is_supervised)
{
	take(b);
	pthread_mutex_lock(&out.lock);
	out.box = box;
	out.is_supervised = is_supervised;
	pthread_mutex_unlock(&out.lock);
}

void report_leave_box(void)
{
	pthread_mutex_lock(&out.lock);
	out.box = NULL;
	pthread_mutex_unlock(&out.lock);
}
