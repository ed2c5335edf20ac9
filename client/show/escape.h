/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.h - what of foreign text may reach a terminal. qvmadm; the caller owns the state.
 *
 * A guest chooses what it prints, and a terminal obeys escape sequences: ECMA-48 lets text move the cursor, retitle the window or have the terminal type answers. The filter lets
 * through printable UTF-8 and little else. It keeps its place between pieces of a stream.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum escape_mode {
	ESCAPE_TEXT,	/* printable characters, newline and tab; whole sequences vanish */
	ESCAPE_CONSOLE, /* and carriage return and colours (SGR) */
	ESCAPE_ATTACHED, /* and backspace, bell, and what moves the cursor and erases: line editing */
};

enum {
	ESCAPE_SEQUENCE = 32,		   /* a longer control sequence vanishes */
	ESCAPE_ROOM = ESCAPE_SEQUENCE + 8, /* output may exceed the input by what was held back */
};

struct escape {
	enum escape_state {
		ESCAPE_GROUND,
		ESCAPE_ESC,
		ESCAPE_CSI,
		ESCAPE_STRING,
		ESCAPE_UTF8
	} state;
	char held[ESCAPE_SEQUENCE]; /* an unfinished sequence or character */
	unsigned n_held, n_need;    /* n_need: bytes of the UTF-8 character */
	bool coloured;		    /* a colour went through: reset it at the end */
};

/* Filter n bytes into out, which has room for n + ESCAPE_ROOM; returns the bytes written. */
size_t escape_filter(struct escape *e, enum escape_mode mode, const char *in, size_t n, char *out);
/* A whole text, filtered as ESCAPE_TEXT; the caller frees it. */
char *escape_text(const char *s, size_t n);
