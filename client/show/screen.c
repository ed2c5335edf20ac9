/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/screen.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "client/show/term.h"

struct screen screen_open(void)
{
	return (struct screen){.is_tty = term_is_tty(stdout)};
}

bool screen_show(void *arg, const char *bytes, size_t n)
{
	struct screen *s = arg;

	s->n_shown += n;
	if (s->is_tty) {
		AUTO_FREE char *out = malloc(n + ESCAPE_ROOM);

		if (!out)
			abort();
		n = escape_filter(&s->escape, s->is_attached ? ESCAPE_ATTACHED : ESCAPE_CONSOLE,
				  bytes, n, out);
		fwrite(out, 1, n, stdout);
	} else {
		fwrite(bytes, 1, n, stdout);
	}
	return fflush(stdout) == 0;
}

void screen_close(struct screen *s)
{
	if (s->escape.coloured)
		fputs("\033[0m", stdout);
}
