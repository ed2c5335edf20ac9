/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static struct {
	const char *ident;
	log_sink *sink;
	int max_priority;
} out = {"qvm", log_to_stderr, LOG_INFO};

void log_open(const char *ident, log_sink *sink, int max_priority)
{
	out.ident = ident;
	out.sink = sink;
	out.max_priority = max_priority;
}

const char *log_ident(void)
{
	return out.ident;
}

void log_to_stderr(const struct log_line *l)
{
	const struct log_about *a = l->about;

	fprintf(stderr, "%s: %s%s%s", out.ident, a && a->vm ? a->vm : "", a && a->vm ? ": " : "",
		l->text);
	if (a && a->request)
		fprintf(stderr, " (request %016" PRIx64 ")", a->request);
	fputc('\n', stderr);
	if (a && a->err && a->err->code && a->err->code < ERR_COUNT && l->priority <= LOG_ERR)
		fprintf(stderr, "%s:   hint: %s\n", out.ident, err_advice(a->err));
}

void log_at(int priority, const char *file, int line, const struct log_about *about,
	    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (priority > out.max_priority)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out.sink(&(struct log_line){priority, file, line, about, text});
}
