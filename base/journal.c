/* SPDX-License-Identifier: Apache-2.0 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "base/auto.h"

enum { FIELDS = 16, FIELD_TEXT = 1100 };

struct entry {
	struct iovec iov[FIELDS];
	char text[FIELDS][FIELD_TEXT];
	int n;
};

static void add(struct entry *e, const char *name, const char *value)
{
	int n;

	if (!value || !*value || e->n == FIELDS)
		return;
	n = snprintf(e->text[e->n], FIELD_TEXT, "%s=%s", name, value);
	if (n >= FIELD_TEXT)
		n = FIELD_TEXT - 1;
	e->iov[e->n] = (struct iovec){e->text[e->n], (size_t)n};
	e->n++;
}

static void add_number(struct entry *e, const char *name, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRId64, value);
	add(e, name, digits);
}

static void add_count(struct entry *e, const char *name, int64_t value)
{
	if (value)
		add_number(e, name, value);
}

static void add_request(struct entry *e, uint64_t request)
{
	char digits[24];

	if (!request)
		return;
	snprintf(digits, sizeof digits, "%016" PRIx64, request);
	add(e, "QVM_REQUEST", digits);
}

/* The origin of the error, not of the line that logs it. */
static void add_place(struct entry *e, const struct log_line *l)
{
	const struct err *err = l->about ? l->about->err : NULL;
	char where[ERR_WHERE];
	const char *colon;

	if (!err || err->n_frames == 0 || err->n_frames > ERR_FRAMES) {
		add(e, "CODE_FILE", l->file);
		add_number(e, "CODE_LINE", l->line);
		return;
	}
	memcpy(where, err->frame[0].where, sizeof where);
	where[sizeof where - 1] = '\0';
	colon = strrchr(where, ':');
	if (!colon)
		return;
	add(e, "CODE_LINE", colon + 1);
	where[colon - where] = '\0';
	add(e, "CODE_FILE", where);
}

void log_to_journal(const struct log_line *l)
{
	const struct log_about *a = l->about;
	AUTO_FREE struct entry *e = calloc(1, sizeof *e);

	if (!e) {
		log_to_stderr(l);
		return;
	}
	add(e, "MESSAGE", l->text);
	add_number(e, "PRIORITY", l->priority);
	add(e, "SYSLOG_IDENTIFIER", log_ident());
	add_place(e, l);
	if (a) {
		add(e, "QVM_VM", a->vm);
		add(e, "QVM_EVENT", a->event);
		add(e, "QVM_CAUSE", a->cause);
		add_count(e, "QVM_INCIDENT", a->incident);
		add_count(e, "QVM_GENERATION", a->generation);
		add(e, "QVM_SIGNAL", a->signal);
		add(e, "QVM_SYSCALL", a->syscall);
		add(e, "MESSAGE_ID", a->message_id);
		add_request(e, a->request);
		if (a->err && a->err->code && a->err->code < ERR_COUNT)
			add(e, "QVM_ERR", err_id(a->err->code));
	}
	if (sd_journal_sendv(e->iov, e->n) < 0)
		log_to_stderr(l);
}

log_sink *journal_sink(void)
{
	return access("/run/systemd/journal/socket", F_OK) == 0 ? log_to_journal : log_to_stderr;
}
