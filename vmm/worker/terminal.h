/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - the user's terminal as the guest's keyboard, when the worker runs alone: raw, and put
 * back at every exit but SIGKILL. Worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* If fd is a terminal, make it raw; also catches the signals that mean a defect, to put it back
 * before dying of them. fd must stay open. True when raw. */
bool terminal_raw(int fd);
bool terminal_is_raw(void);
/* Put it back, if it was made raw. Safe in a signal handler. */
void terminal_restore(void);

/*
 * Typed bytes, before the guest gets them: Ctrl-A x ends the VM, Ctrl-A a is Ctrl-A. Shortens bytes
 * in place and returns how many are left; *ret_leave is set for Ctrl-A x. *escape is the state
 * between two calls, false at first.
 */
size_t terminal_escape(uint8_t *bytes, size_t n, bool *escape, bool *ret_leave);
