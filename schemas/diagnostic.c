/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/diagnostic.h"

#include <string.h>

#include "base/auto.h"
#include "base/str.h"

const char *diagnostic_severity_id(uint32_t severity)
{
	static const char *const id[] = {"error", "warning", "note"};

	return severity < NELEMS(id) ? id[severity] : "error";
}

/* Text in a caller's language stays; control bytes would let a worker paint on a terminal. */
static void clean(char *s, size_t cap)
{
	s[cap - 1] = '\0';
	for (size_t i = 0; s[i]; i++) {
		unsigned char c = (unsigned char)s[i], next = (unsigned char)s[i + 1];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			s[i] = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0) /* U+0080 to U+009F: CSI */
			s[i] = s[i + 1] = '?';
	}
}

void diagnostic_sane(struct diagnostic *d)
{
	clean(d->file, sizeof d->file);
	clean(d->source, sizeof d->source);
	clean(d->what, sizeof d->what);
	clean(d->hint, sizeof d->hint);
	if (d->severity > DIAGNOSTIC_NOTE)
		d->severity = DIAGNOSTIC_ERROR;
	if (d->length == 0 || d->length > sizeof d->source)
		d->length = 1;
}
