/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyboard.h - stdin as a terminal that hands on each key at once, Ctrl-C too. qvmadm.
 *
 * What the terminal draws stays as it was, so that a newline still begins a line.
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"

struct keyboard {
	bool is_raw;
	struct termios before;
};

int keyboard_open(struct keyboard *k, struct err *e);
/* The terminal as it was; once more does no harm. */
void keyboard_close(struct keyboard *k);
