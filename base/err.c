/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *id;
	int http, exit;
	const char *hint;
} table[ERR_COUNT] = {
	[ERR_OK] = {"ok", 200, 0, ""},
#define ERR(sym, id, http, exit, hint) [ERR_##sym] = {id, http, exit, hint},
#include "schemas/errors.def"
#undef ERR
};

int err_http(enum err_code c)
{
	return table[c].http;
}

int err_exit(enum err_code c)
{
	return table[c].exit;
}

const char *err_id(enum err_code c)
{
	return table[c].id;
}

const char *err_hint(enum err_code c)
{
	return table[c].hint;
}

static void push(struct err *e, const char *file, int line, const char *note)
{
	struct err_frame *f;

	if (e->n_frames == ERR_FRAMES)
		return; /* keep the innermost frames: they name the cause */
	f = &e->frame[e->n_frames++];
	snprintf(f->where, sizeof f->where, "%s:%d", file, line);
	snprintf(f->note, sizeof f->note, "%s", note);
}

int err_set_at(struct err *e, enum err_code code, int os_errno, const char *file, int line,
	       const char *fmt, ...)
{
	char msg[ERR_MSG]; /* an argument may point into *e */
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	n = strlen(msg);
	errno = os_errno; /* %m is thread-safe where strerror() is not */
	if (os_errno)
		snprintf(msg + n, sizeof msg - n, ": %m");
	*e = (struct err){.code = code, .os_errno = os_errno};
	memcpy(e->msg, msg, sizeof e->msg);
	push(e, file, line, "");
	return -1;
}

int err_advise(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->frame[0].note, sizeof e->frame[0].note, fmt, ap);
	va_end(ap);
	return -1;
}

const char *err_advice(const struct err *e)
{
	return e->n_frames && e->frame[0].note[0] ? e->frame[0].note
						  : err_hint((enum err_code)e->code);
}

int err_wrap_at(struct err *e, const char *file, int line, const char *fmt, ...)
{
	char note[ERR_NOTE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(note, sizeof note, fmt, ap);
	va_end(ap);
	push(e, file, line, note);
	return -1;
}

void err_sane(struct err *e)
{
	if (e->code >= ERR_COUNT)
		e->code = ERR_INTERNAL;
	if (e->n_frames > ERR_FRAMES)
		e->n_frames = ERR_FRAMES;
	e->msg[sizeof e->msg - 1] = '\0';
	for (unsigned i = 0; i < ERR_FRAMES; i++) {
		e->frame[i].where[ERR_WHERE - 1] = '\0';
		e->frame[i].note[ERR_NOTE - 1] = '\0';
	}
}
