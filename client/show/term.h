/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term.h - where the output goes: a terminal or not, how wide, coloured or not. qvmadm.
 * Colours only on a terminal, never when NO_COLOR is set or TERM is "dumb" (no-color.org).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum term_style {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_DIM,
	TERM_GOOD, /* green */
	TERM_BUSY, /* yellow */
	TERM_BAD,  /* red, bold */
	TERM_COOL, /* cyan */
	TERM_STYLES
};

/* Once, in main(): the locale decides how wide characters are; what stands in for a closed stdin,
 * stdout or stderr fails to be written, and no socket comes to its number. */
void term_open(void);
bool term_is_tty(FILE *f);
/* Wait so long, or until whoever reads f has gone: true. */
bool term_is_unread(FILE *f, int64_t ms);
/* Columns of a terminal; 0 when f is none: nothing is cut. */
unsigned term_width(FILE *f);
/* The sequences around styled text; "" without colours. */
const char *term_on(FILE *f, enum term_style style);
const char *term_off(FILE *f, enum term_style style);
/* The locale has more than ASCII to draw with. */
bool term_is_utf8(void);
/* The bar in front of quoted lines, and the sign of a cut, as the locale can show them. */
const char *term_bar(void);
const char *term_ellipsis(void);
