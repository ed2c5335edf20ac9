/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/term.h"

#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

void term_open(void)
{
	int fd;

	setlocale(LC_CTYPE, "");
	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

bool term_is_tty(FILE *f)
{
	return isatty(fileno(f));
}

bool term_is_unread(FILE *f, int64_t ms)
{
	struct pollfd p = {.fd = fileno(f)}; /* POLLERR and POLLHUP come unasked */
	int64_t end_ms = (int64_t)clock_mono_ms() + ms;

	do
		if (poll(&p, 1, ms > INT_MAX ? INT_MAX : (int)ms) > 0)
			return true;
	while ((ms = end_ms - (int64_t)clock_mono_ms()) > 0);
	return false;
}

unsigned term_width(FILE *f)
{
	struct winsize w;

	if (!term_is_tty(f))
		return 0;
	if (ioctl(fileno(f), TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

static bool is_coloured(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && *term && strcmp(term, "dumb") != 0 && term_is_tty(f);
}

const char *term_on(FILE *f, enum term_style style)
{
	static const char *const on[TERM_STYLES] = {
		[TERM_PLAIN] = "",	  [TERM_BOLD] = "\033[1m",  [TERM_DIM] = "\033[2m",
		[TERM_GOOD] = "\033[32m", [TERM_BUSY] = "\033[33m", [TERM_BAD] = "\033[1;31m",
		[TERM_COOL] = "\033[36m",
	};

	return is_coloured(f) ? on[style] : "";
}

const char *term_off(FILE *f, enum term_style style)
{
	return style != TERM_PLAIN && is_coloured(f) ? "\033[0m" : "";
}

bool term_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *term_bar(void)
{
	return term_is_utf8() ? "\u2502" : "|";
}

const char *term_ellipsis(void)
{
	return term_is_utf8() ? "\u2026" : "~";
}
