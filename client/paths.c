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
	const char *folder; /* that relative paths belong to from here on */
	FILE *out;
	struct paths *p;
};

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
	fwrite(from, 1, (size_t)(r->at - from), r->out);
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

/* Bytes of a leading "ADDR," of a load argument. */
static size_t address_prefix(const char *s, size_t n)
{
	size_t i = 0;

	if (n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'd'))
		i = 2;
	while (i < n && isxdigit((unsigned char)s[i]))
		i++;
	if (i && i < n && strchr("kKmMgG", s[i]))
		i++;
	return i && i < n && s[i] == ',' ? i + 1 : 0;
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
	if (n == 0 || strchr("/|$\"", s[0]))
		return false;
	return !(is_hostdev && s[0] == '-' && (n == 1 || s[1] == '"'));
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
		return err_set(e, CONFIG,
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

/* Options whose arguments are words of the user's choice, never `load` or `hostdev`. */
static unsigned n_free_words(const struct word *w)
{
	static const struct {
		const char *option;
		unsigned n;
	} table[] = {{"system", 1}, {"cmdline", 1}, {"name", 1}, {"dump", 1}, {"vdev", 1}};

	for (size_t i = 0; i < NELEMS(table); i++)
		if (is_word(w, table[i].option))
			return table[i].n;
	return 0;
}

static bool copy_word(struct reader *r, struct word *ret)
{
	if (!next_word(r, ret))
		return false;
	fwrite(ret->s, 1, ret->n, r->out);
	return true;
}

static int read_all(struct reader *r, const char *cwd, struct err *e)
{
	struct word w, name, value;

	while (copy_word(r, &w)) {
		bool is_hostdev = is_word(&w, "hostdev");

		if (is_hostdev || is_word(&w, "load")) {
			if (next_word(r, &w) && write_path(r, &w, is_hostdev, e) < 0)
				return -1;
		} else if (is_word(&w, "set")) {
			if (copy_word(r, &name) && copy_word(r, &value) &&
			    is_word(&name, "path-base") && is_word(&value, "cwd"))
				r->folder = cwd;
		} else {
			for (unsigned n = n_free_words(&w); n; n--)
				copy_word(r, &name);
		}
	}
	return 0;
}

int paths_absolute(const char *text, size_t bytes, const char *folder, const char *cwd,
		   struct paths *ret, struct err *e)
{
	AUTO_PATHS struct paths p = {0};
	struct reader r = {.at = text,
			   .end = text + bytes,
			   .line_start = text,
			   .line = 1,
			   .folder = folder,
			   .p = &p};
	int result;

	r.out = open_memstream(&p.text, &p.bytes);
	if (!r.out)
		abort();
	result = read_all(&r, cwd, e);
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
		if (*column < x->column + grown + x->new_length) { /* inside the path: mark the word */
			*column = x->column;
			*length = x->old_length;
			return;
		}
		grown += x->new_length - x->old_length;
	}
	*column -= grown;
}
