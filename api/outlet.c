/* SPDX-License-Identifier: Apache-2.0 */
#include "api/outlet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/str.h"

enum { ENTRY = 4096 };

void outlet_open(struct outlet *j)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*j = (struct outlet){.socket = -1};
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
		j->socket = TAKE_FD(fd);
}

/* The journal's native form, one "NAME=value" a line: a newline would begin another field. */
static void add(char *entry, size_t *n, const char *name, const char *value)
{
	size_t from;

	if (!value || !*value)
		return;
	str_add(entry, ENTRY, n, "%s=", name);
	from = *n;
	str_add(entry, ENTRY, n, "%s", value);
	for (char *p = entry + from; (p = strchr(p, '\n'));)
		*p = ' ';
	str_add(entry, ENTRY, n, "\n");
}

static void add_place(char *entry, size_t *n, const struct log_line *l)
{
	const struct err *e = l->about ? l->about->err : NULL;
	char where[ERR_WHERE], *colon;

	if (e && e->n_frames)
		str_copy(where, sizeof where, e->frame[0].where);
	else
		snprintf(where, sizeof where, "%s:%d", l->file, l->line);
	colon = strrchr(where, ':');
	if (!colon)
		return;
	*colon = '\0';
	add(entry, n, "CODE_FILE", where);
	add(entry, n, "CODE_LINE", colon + 1);
}

static void send_line(const struct outlet *j, const struct log_line *l)
{
	const struct log_about *a = l->about;
	char entry[ENTRY], digits[24];
	size_t n = 0;

	snprintf(digits, sizeof digits, "%d", l->priority);
	add(entry, &n, "MESSAGE", l->text);
	add(entry, &n, "PRIORITY", digits);
	add(entry, &n, "SYSLOG_IDENTIFIER", log_ident());
	add_place(entry, &n, l);
	if (a && a->request) {
		snprintf(digits, sizeof digits, "%016" PRIx64, a->request);
		add(entry, &n, "QVM_REQUEST", digits);
	}
	add(entry, &n, "QVM_VM", a ? a->vm : NULL);
	if (a && a->err && a->err->code && a->err->code < ERR_COUNT)
		add(entry, &n, "QVM_ERR", err_id((enum err_code)a->err->code));
	if (j->socket < 0 || send(j->socket, entry, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_to_stderr(l);
}

void outlet_write(struct outlet *j, const struct log_line *l)
{
	uint64_t now_ms = clock_mono_ms();
	char text[64];

	if (now_ms - j->window_ms > OUTLET_WINDOW_MS) {
		snprintf(text, sizeof text, "%u lines were left out", j->n_dropped);
		if (j->n_dropped)
			send_line(j, &(struct log_line){.priority = LOG_WARNING,
							.file = __FILE__,
							.line = __LINE__,
							.text = text});
		j->window_ms = now_ms;
		j->n = j->n_dropped = 0;
	}
	if (j->n++ < OUTLET_LINES)
		send_line(j, l);
	else
		j->n_dropped++;
}
