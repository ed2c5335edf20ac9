/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canvas.h - a terminal that is drawn anew again and again, and hears keys at once. qvmadm; one at a time,
 * owned by the command that draws.
 *
 * However the program ends, but by SIGKILL, the terminal is as it was: signals that end or stop it arrive
 * as news of canvas_wait(), so that nothing is left to a handler.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/err.h"

struct canvas {
	struct termios before;
	sigset_t mask;
	int signals; /* signalfd */
};

enum canvas_news { CANVAS_TIME, CANVAS_KEY, CANVAS_SIZE, CANVAS_END };

/* stdin and stdout must be terminals. */
int canvas_open(struct canvas *s, struct err *e);
/* The terminal back; after it a stop or a signal may be as usual. */
void canvas_close(struct canvas *s);
/* Wait at most so long for a key, another size (also after a stop and `fg`) or the end. */
enum canvas_news canvas_wait(struct canvas *s, int64_t timeout_ms, char *ret_key, int *ret_signal);
/* What is printed to stdout between these two appears at once, in place of what was there. */
void canvas_begin(void);
void canvas_end(void);
/* Lines of the terminal. */
unsigned canvas_rows(void);
