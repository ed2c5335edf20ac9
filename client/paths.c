/* SPDX-License-Identifier: Apache-2.0 */
#include "client/paths.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "client/utf8.h"

struct word {
	const char *s; /* as written, with its quotes */
	size_t n;
	unsigned line, column;
};

struct reader {
	const char *at, *end;
	const char *line_start;
	unsigned line;
	const char *folder; /* that relative paths belong to */
	bool is_cwd;	    /* `set path-base cwd` was read */
	FILE *out;	    /* NULL: only look */
	struct paths *p;
};

static void emit(struct reader *r, const char *s, size_t n)
{
	if (r->out)
		fwrite(s, 1, n, r->out);
}

/* Step over one byte, counting lines. */
static void step(struct reader *r)
{
	if (*r->at++ == '\n') {
		r->line++;
		r->line_start = r->at;
	}
}

/* A quotation ends with its line, closed or not; the worker will say so. */
static bool ends_word(const char *s, bool is_quoted)
{
	return is_quoted ? *s == '\n' : isspace((unsigned char)*s) || *s == '#';
}

/* The next word; the white space and comments before it go to the output. False at the end. */
static bool next_word(struct reader *r, struct word *ret)
{
	const char *from = r->at;
	bool is_comment = false, is_quoted = false;

	while (r->at < r->end && (is_comment || isspace((unsigned char)*r->at) || *r->at == '#')) {
		is_comment = *r->at != '\n' && (is_comment || *r->at == '#');
		step(r);
	}
	emit(r, from, (size_t)(r->at - from));
	if (r->at == r->end)
		return false;
	*ret = (struct word){
		.s = r->at,
		.line = r->line,
		.column = utf8_count(r->line_start, (size_t)(r->at - r->line_start)) + 1,
	};
	while (r->at < r->end && !ends_word(r->at, is_quoted)) {
		is_quoted ^= *r->at == '"';
		if (is_quoted && r->at + 1 < r->end && r->at[0] == '\\' && r->at[1] == '\n')
			step(r); /* the quotation goes on in the next line */
		step(r);
	}
	ret->n = (size_t)(r->at - ret->s);
	return true;
}

static bool is_word(const struct word *w, const char *s)
{
	return w->n == strlen(s) && !memcmp(w->s, s, w->n);
}

/* Bytes of a leading "ADDRESS,": what stands before the first comma and reads as an address or
 * begins as one, by the worker's rule; a folder may hold commas too. */
static size_t address_prefix(const char *s, size_t n)
{
	const char *comma = memchr(s, ',', n);
	size_t i = 0, end = comma ? (size_t)(comma - s) : 0;

	if (end == 0 || memchr(s, '/', end))
		return 0;
	while (i < end && isxdigit((unsigned char)s[i]))
		i++;
	if (i && i < end && strchr("kKmMgG", s[i]))
		i++;
	return i == end || isdigit((unsigned char)s[0]) ? end + 1 : 0;
}

/* Where the path begins inside the word; n when it holds none. */
static size_t path_start(const struct word *w, bool is_hostdev)
{
	size_t i = 0;

	if (i < w->n && w->s[i] == '"')
		i++;
	if (!is_hostdev)
		i += address_prefix(w->s + i, w->n - i);
	else if (i < w->n && (w->s[i] == '<' || w->s[i] == '>'))
		i++;
	if (i < w->n && w->s[i] == '"' && w->s[0] != '"')
		i++;
	return i;
}

/* `-` is the console, `|` a command, `$` is replaced by the worker, `/` is absolute already. */
static bool is_relative(const char *s, size_t n, bool is_hostdev)
{
	if (n == 0 || strchr("/$\"", s[0]) || (is_hostdev && s[0] == '|'))
		return false;
	return s[0] != '-' || (n > 1 && s[1] != '"');
}

static size_t first_line(const char *s, size_t n)
{
	const char *end = memchr(s, '\n', n);

	return end ? (size_t)(end - s) : n;
}

static void note(struct reader *r, const struct word *w, const char *text, size_t path_at)
{
	struct paths *p = r->p;
	struct paths_edit *grown = reallocarray(p->edit, p->n_edits + 1, sizeof *p->edit);
	char *path = strdup(text + path_at);

	if (!grown || !path)
		abort();
	path[strcspn(path, "\"\n")] = '\0';
	p->edit = grown;
	/* A quoted word may go on over the line's end; nothing after it moves. */
	p->edit[p->n_edits++] = (struct paths_edit){
		.line = w->line,
		.column = w->column,
		.old_length = utf8_count(w->s, first_line(w->s, w->n)),
		.new_length = utf8_count(text, first_line(text, strlen(text))),
		.path = path,
	};
}

static int write_path(struct reader *r, const struct word *w, bool is_hostdev, struct err *e)
{
	size_t at = path_start(w, is_hostdev), skip = at;
	bool is_quoted = memchr(w->s, '"', w->n) != NULL;
	bool must_quote = !is_quoted && strpbrk(r->folder, " \t#") != NULL;
	AUTO_FREE char *text = NULL;

	if (!is_relative(w->s + at, w->n - at, is_hostdev)) {
		fwrite(w->s, 1, w->n, r->out);
		return 0;
	}
	if (strpbrk(r->folder, "\"\\\n$"))
		return err_set(
			e, CONFIG,
			"the path '%.*s' in line %u is relative to the folder '%s', whose name "
			"the configuration language cannot write; give an absolute path",
			(int)(w->n - at), w->s + at, w->line, r->folder);
	while (w->n - skip > 2 && w->s[skip] == '.' && w->s[skip + 1] == '/')
		skip += 2;
	if (asprintf(&text, "%s%.*s%s/%.*s%s", must_quote ? "\"" : "", (int)at, w->s,
		     strcmp(r->folder, "/") ? r->folder : "", (int)(w->n - skip), w->s + skip,
		     must_quote ? "\"" : "") < 0)
		abort();
	fputs(text, r->out);
	note(r, w, text, at + must_quote);
	return 0;
}

/* Words behind an option that are never options themselves, by the table of the language. */
static unsigned n_free_words(const struct word *w)
{
	enum { NONE, FREE, PAIR, STRICT = 0 };
	static const struct {
		const char *name;
		unsigned n;
	} table[] = {
#define OPTION(id, name, context, opens, args, form, what)	{name, args},
#define LATER(id, name, context, opens, args, form, what, mend) {name, args},
#include "schemas/qvmconf.def"
	};

	for (size_t i = 0; i < NELEMS(table); i++)
		if (is_word(w, table[i].name))
			return table[i].n;
	return 0;
}

static bool copy_word(struct reader *r, struct word *ret)
{
	if (!next_word(r, ret))
		return false;
	emit(r, ret->s, ret->n);
	return true;
}

static int read_path(struct reader *r, bool is_hostdev, struct err *e)
{
	struct word w;

	if (!next_word(r, &w))
		return 0;
	if (r->out)
		return write_path(r, &w, is_hostdev, e);
	return 0;
}

/* `set path-base` holds for the whole text, wherever it stands; the last one wins. */
static void read_set(struct reader *r)
{
	struct word name, value;

	if (copy_word(r, &name) && copy_word(r, &value) && is_word(&name, "path-base"))
		r->is_cwd = is_word(&value, "cwd");
}

static int read_all(struct reader *r, struct err *e)
{
	struct word w;

	while (copy_word(r, &w)) {
		if (is_word(&w, "hostdev") || is_word(&w, "load")) {
			if (read_path(r, is_word(&w, "hostdev"), e) < 0)
				return -1;
		} else if (is_word(&w, "set")) {
			read_set(r);
		} else {
			for (unsigned n = n_free_words(&w); n; n--)
				copy_word(r, &w);
		}
	}
	return 0;
}

int paths_absolute(const char *text, size_t bytes, const char *folder, const char *cwd,
		   struct paths *ret, struct err *e)
{
	AUTO_PATHS struct paths p = {0};
	struct reader look = {.at = text, .end = text + bytes, .line_start = text, .line = 1};
	struct reader r = look;
	int result;

	read_all(&look, e); /* refuses nothing while it only looks */
	r.folder = look.is_cwd ? cwd : folder;
	r.p = &p;
	r.out = open_memstream(&p.text, &p.bytes);
	if (!r.out)
		abort();
	result = read_all(&r, e);
	if (fclose(r.out) != 0)
		abort();
	if (result < 0)
		return -1;
	*ret = p;
	p = (struct paths){0};
	return 0;
}

void paths_free(struct paths *p)
{
	for (size_t i = 0; i < p->n_edits; i++)
		free(p->edit[i].path);
	free(p->edit);
	free(p->text);
	*p = (struct paths){0};
}

void paths_map_back(const struct paths *p, unsigned line, unsigned *column, unsigned *length)
{
	unsigned grown = 0; /* by the edits to the left */

	for (size_t i = 0; i < p->n_edits; i++) {
		const struct paths_edit *x = &p->edit[i];

		if (x->line != line)
			continue;
		if (*column < x->column + grown)
			break;
		if (*column <
		    x->column + grown + x->new_length) { /* inside the path: mark the word */
			*column = x->column;
			*length = x->old_length;
			return;
		}
		grown += x->new_length - x->old_length;
	}
	*column -= grown;
}
