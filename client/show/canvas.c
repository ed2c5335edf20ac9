/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/canvas.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

enum { ROWS_UNKNOWN = 24 };

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

/* The other page of the terminal, without a cursor; keys come at once and are not shown. */
static int enter(const struct canvas *s)
{
	struct termios raw = s->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	fputs("\033[?1049h\033[?25l", stdout);
	fflush(stdout);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
}

static void leave(const struct canvas *s)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

int canvas_open(struct canvas *s, struct err *e)
{
	sigset_t set;

	if (tcgetattr(STDIN_FILENO, &s->before) < 0 || !isatty(STDOUT_FILENO))
		return err_set(
			e, USAGE,
			"this draws on a terminal, and there is none: use --batch for a file "
			"or a pipe");
	sigemptyset(&set);
	for (size_t i = 0; i < NELEMS(caught); i++)
		sigaddset(&set, caught[i]);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0 || sigprocmask(SIG_BLOCK, &set, &s->mask) < 0)
		return err_sys(e, INTERNAL, "hear of signals");
	if (enter(s) == 0)
		return 0;
	canvas_close(s);
	return err_sys(e, INTERNAL, "set the terminal");
}

void canvas_close(struct canvas *s)
{
	leave(s);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	close(s->signals);
	s->signals = -1;
}

/* ^Z: stopped as anybody, and back as if nothing had been. */
static void stop(const struct canvas *s)
{
	leave(s);
	raise(SIGSTOP);
	enter(s);
}

static enum canvas_news hear(const struct canvas *s, int *ret_signal)
{
	struct signalfd_siginfo i;

	while (read(s->signals, &i, sizeof i) == sizeof i) {
		switch (i.ssi_signo) {
		case SIGTSTP: stop(s); return CANVAS_SIZE;
		case SIGCONT:
		case SIGWINCH: return CANVAS_SIZE;
		default: *ret_signal = (int)i.ssi_signo; return CANVAS_END;
		}
	}
	return CANVAS_TIME;
}

enum canvas_news canvas_wait(struct canvas *s, int64_t timeout_ms, char *ret_key, int *ret_signal)
{
	struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			     {.fd = s->signals, .events = POLLIN}};
	int64_t end_ms = (int64_t)clock_mono_ms() + timeout_ms, left;
	ssize_t n;

	*ret_signal = 0;
	for (;;) {
		left = end_ms - (int64_t)clock_mono_ms();
		if (poll(p, NELEMS(p), left > 0 ? (int)left : 0) == 0)
			return CANVAS_TIME;
		if (p[1].revents)
			return hear(s, ret_signal);
		n = read(STDIN_FILENO, ret_key, 1);
		if (n == 1)
			return CANVAS_KEY;
		if (n == 0 || errno != EINTR) /* the terminal has gone */
			return CANVAS_END;
	}
}

void canvas_begin(void)
{
	/* Terminals that know it show nothing until the end. */
	fputs("\033[?2026h\033[H\033[J", stdout);
}

void canvas_end(void)
{
	fputs("\033[?2026l", stdout);
	fflush(stdout);
}

unsigned canvas_rows(void)
{
	struct winsize w;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row ? w.ws_row : ROWS_UNKNOWN;
}
