/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/escape.h"

#include <stdlib.h>
#include <string.h>

struct sink {
	struct escape *e;
	enum escape_mode mode;
	char *out;
	size_t n;
};

static void put(struct sink *s, const char *bytes, size_t n)
{
	memcpy(s->out + s->n, bytes, n);
	s->n += n;
}

static void hold(struct escape *e, char c)
{
	if (e->n_held < sizeof e->held)
		e->held[e->n_held] = c;
	if (e->n_held <= sizeof e->held) /* one past the end says: too long */
		e->n_held++;
}

/*
 * Characters that a terminal acts on though they are no bytes below 0x20: C1 controls, the line and
 * paragraph separators, and the marks that reorder what stands on a line.
 */
static bool is_printable(uint32_t c)
{
	if (c < 0xa0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	return !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) &&
	       !(c >= 0x200b && c <= 0x200f) && c != 0xfeff;
}

static void end_utf8(struct sink *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	struct escape *e = s->e;
	uint32_t c = (uint8_t)e->held[0] & (0x7f >> e->n_need);

	for (unsigned i = 1; i < e->n_need; i++)
		c = c << 6 | ((uint8_t)e->held[i] & 0x3f);
	if (c >= least[e->n_need] && is_printable(c))
		put(s, e->held, e->n_need);
	else
		put(s, "?", 1);
	e->state = ESCAPE_GROUND;
}

static void ground(struct sink *s, char c)
{
	uint8_t b = (uint8_t)c;
	struct escape *e = s->e;

	e->n_held = 0;
	if (b == 0x1b) {
		e->state = ESCAPE_ESC;
		return;
	}
	e->state = ESCAPE_GROUND;
	if ((b >= 0x20 && b < 0x7f) || b == '\n' || b == '\t') {
		put(s, &c, 1);
	} else if (b == '\r' && s->mode != ESCAPE_TEXT) {
		put(s, &c, 1);
	} else if ((b == '\b' || b == '\a') && s->mode == ESCAPE_ATTACHED) {
		put(s, &c, 1);
	} else if (b >= 0xc2 && b <= 0xf4) {
		e->n_need = b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
		e->state = ESCAPE_UTF8;
		hold(e, c);
	} else if (b >= 0x80) {
		put(s, "?", 1);
	}
}

/* Parameters that are numbers, and not too many. */
static bool is_plain(const struct escape *e)
{
	if (e->n_held > sizeof e->held - 3)
		return false;
	for (unsigned i = 0; i < e->n_held; i++)
		if (!strchr("0123456789;:", e->held[i]) || !e->held[i])
			return false;
	return true;
}

/* Select graphic rendition; cursor movement and erasing (ECMA-48), none of which makes a terminal
 * answer or change its settings. */
static bool may_pass(const struct sink *s, char final)
{
	if (!is_plain(s->e))
		return false;
	return s->mode == ESCAPE_ATTACHED ? strchr("ABCDEFGHJKLMPXdfm@", final) != NULL
					  : s->mode == ESCAPE_CONSOLE && final == 'm';
}

static void control_sequence(struct sink *s, char c)
{
	struct escape *e = s->e;
	uint8_t b = (uint8_t)c;

	if (b >= 0x20 && b <= 0x3f) {
		hold(e, c);
	} else if (b >= 0x40 && b <= 0x7e) {
		if (may_pass(s, c)) {
			put(s, "\033[", 2);
			put(s, e->held, e->n_held);
			put(s, &c, 1);
			e->coloured |= c == 'm';
		}
		e->state = ESCAPE_GROUND;
	} else {
		ground(s, c); /* broken off */
	}
}

static void one(struct sink *s, char c)
{
	struct escape *e = s->e;
	uint8_t b = (uint8_t)c;

	switch (e->state) {
	case ESCAPE_GROUND: ground(s, c); return;
	case ESCAPE_UTF8:
		if ((b & 0xc0) != 0x80) {
			put(s, "?", 1);
			ground(s, c);
			return;
		}
		hold(e, c);
		if (e->n_held == e->n_need)
			end_utf8(s);
		return;
	case ESCAPE_ESC:
		if (c == '[')
			e->state = ESCAPE_CSI;
		else if (c && strchr("]PX^_", c))
			e->state = ESCAPE_STRING;
		else if (b < 0x20)
			ground(s, c);
		else if (b >= 0x30) /* 0x20 to 0x2f: intermediates, more to come */
			e->state = ESCAPE_GROUND;
		return;
	case ESCAPE_CSI: control_sequence(s, c); return;
	case ESCAPE_STRING:
		/* A newline ends it too, so that a guest cannot hide all that follows. */
		if (b == 0x07)
			e->state = ESCAPE_GROUND; /* its end, and no bell */
		else if (b == 0x1b || b == '\n')
			ground(s, c);
		return;
	}
}

size_t escape_filter(struct escape *e, enum escape_mode mode, const char *in, size_t n, char *out)
{
	struct sink s = {e, mode, out, 0};

	for (size_t i = 0; i < n; i++)
		one(&s, in[i]);
	return s.n;
}

char *escape_text(const char *s, size_t n)
{
	struct escape e = {0};
	char *out = malloc(n + ESCAPE_ROOM + 1);

	if (!out)
		abort();
	n = escape_filter(&e, ESCAPE_TEXT, s, n, out);
	if (e.state == ESCAPE_UTF8)
		out[n++] = '?';
	out[n] = '\0';
	return out;
}
