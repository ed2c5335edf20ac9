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

enum { FATAL, INTERNAL, ERROR, WARN, INFO, DEBUG, VERBOSE };
enum { FILTERS_DEFAULT = 1 << FATAL | 1 << INTERNAL | 1 << ERROR | 1 << WARN | 1 << INFO };
enum { LINE_CAP = 1536 };

/* The log is one per process and has no other owner than this file. */
static struct {
	pthread_mutex_t lock; /* the ring of the box has one writer at a time */
	struct board_logger logger[BOARD_LOGGERS];
	unsigned n_loggers;
	struct blackbox_map *box;
	bool is_supervised;
	int slog_fd; /* connected to the system log; -1 = none */
} out = {.lock = PTHREAD_MUTEX_INITIALIZER, .slog_fd = -1};

static unsigned filter_of(int priority)
{
	static const uint8_t filter[] = {
		[LOG_EMERG] = FATAL, [LOG_ALERT] = FATAL,  [LOG_CRIT] = INTERNAL,
		[LOG_ERR] = ERROR,   [LOG_WARNING] = WARN, [LOG_NOTICE] = INFO,
		[LOG_INFO] = INFO,   [LOG_DEBUG] = DEBUG,  [REPORT_VERBOSE] = VERBOSE,
	};

	return (size_t)priority < NELEMS(filter) ? filter[priority] : VERBOSE;
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

static const char *word_of(unsigned filter)
{
	static const char *const word[] = {
		[FATAL] = "fatal: ", [INTERNAL] = "internal error: ",
		[ERROR] = "error: ", [WARN] = "warning: ",
		[INFO] = "",	     [DEBUG] = "debug: ",
		[VERBOSE] = "",
	};

	return word[filter];
}

static void sink(const struct log_line *l)
{
	const struct err *err = l->about ? l->about->err : NULL;
	unsigned filter = filter_of(l->priority);
	char line[LINE_CAP];
	size_t n = 0, first;
	bool in_box = false;

	str_add(line, sizeof line, &n, "%s%s", word_of(filter), l->text);
	first = n;
	if (err && err->code && err->code < ERR_COUNT && filter <= ERROR)
		str_add(line, sizeof line, &n, "\nqvm: hint: %s", err_hint(err->code));
	str_add(line, sizeof line, &n, "\n");
	pthread_mutex_lock(&out.lock);
	for (unsigned i = 0; i < out.n_loggers; i++) {
		const struct board_logger *to = &out.logger[i];
		int fd = to->dest == BOARD_LOG_STDOUT ? STDOUT_FILENO : STDERR_FILENO;

		if (!(to->filters & 1u << filter) || to->dest == BOARD_LOG_NONE)
			continue;
		in_box = true;
		if (out.is_supervised && out.box)
			continue;
		if (to->dest == BOARD_LOG_SLOG && out.slog_fd >= 0)
			put_slog(l);
		else
			put(fd, line, n);
	}
	if (filter == INTERNAL)
		put_slog(l);
	line[first] = '\0';
	if (out.box && (in_box || filter <= ERROR))
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

static void take(const struct board_logger *logger, unsigned n)
{
	pthread_mutex_lock(&out.lock);
	out.n_loggers = n < BOARD_LOGGERS ? n : BOARD_LOGGERS;
	memcpy(out.logger, logger, out.n_loggers * sizeof *logger);
	pthread_mutex_unlock(&out.lock);
}

static void take_board(const struct board *b)
{
	if (b->n_loggers) /* an explicit logger replaces the default */
		take(b->logger, b->n_loggers);
}

void report_open(void)
{
	take(&(struct board_logger){FILTERS_DEFAULT, BOARD_LOG_STDERR}, 1);
	log_open("qvm", sink, REPORT_VERBOSE);
}

void report_to_loggers(const struct board *b)
{
	take_board(b);
	for (unsigned i = 0; i < b->n_loggers; i++)
		if (b->logger[i].dest == BOARD_LOG_SLOG && out.slog_fd < 0)
			open_slog();
}

void report_to_box(struct blackbox_map *box, const struct board *b, bool is_supervised)
{
	take_board(b);
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
