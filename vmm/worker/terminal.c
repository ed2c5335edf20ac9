/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/worker/terminal.h"

#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"

enum { CTRL_A = 1 };

/* Read by a signal handler, so it lives at file scope. */
static struct {
	struct termios before;
	int fd;
	_Atomic bool is_raw;
} terminal;

bool terminal_is_raw(void)
{
	return atomic_load(&terminal.is_raw);
}

void terminal_restore(void)
{
	if (atomic_exchange(&terminal.is_raw, false))
		tcsetattr(terminal.fd, TCSANOW, &terminal.before);
}

#ifndef __SANITIZE_ADDRESS__ /* its runtime catches these itself */
static void restore_and_die(int sig)
{
	terminal_restore();
	/* SA_RESETHAND has put the default back: returning repeats the fault, raise() is for abort() */
	raise(sig);
}

static void catch_defects(void)
{
	static const int defects[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	struct sigaction a = {.sa_handler = restore_and_die, .sa_flags = (int)SA_RESETHAND};

	for (size_t i = 0; i < NELEMS(defects); i++)
		sigaction(defects[i], &a, NULL);
}
#else
static void catch_defects(void) {}
#endif

bool terminal_raw(int fd)
{
	struct termios raw;

	if (!isatty(fd) || tcgetattr(fd, &terminal.before) < 0)
		return false;
	raw = terminal.before;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* qvm's own lines still end in CR LF */
	terminal.fd = fd;
	catch_defects();
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return false;
	atomic_store(&terminal.is_raw, true);
	return true;
}

size_t terminal_escape(uint8_t *bytes, size_t n, bool *escape, bool *ret_leave)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = bytes[i];

		if (!*escape && c == CTRL_A) {
			*escape = true;
			continue;
		}
		if (*escape && (c == 'x' || c == 'X'))
			*ret_leave = true;
		else if (*escape && (c == 'a' || c == 'A' || c == CTRL_A))
			bytes[kept++] = CTRL_A;
		else
			bytes[kept++] = c;
		*escape = false;
	}
	return kept;
}
