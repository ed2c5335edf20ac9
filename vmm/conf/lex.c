/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/lex.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/substitute.h"
#include "vmm/conf/utf8.h"

/* A walk over one page. */
struct cursor {
	struct lex *lex;
	struct findings *findings;
	const struct conf_source *source;
	const char *text;
	size_t n, i;
	struct mark here;
	bool is_in_quotes;
	struct token token; /* being read; its text is buf */
	char buf[LEX_WORD + 1];
	size_t len;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Show the words of a command line as one line, as one would type them. */
static void join(struct lex *l, const struct conf_part *part)
{
	size_t bytes = 1, len = 0;
	char *line;

	for (size_t w = 0; w < part->n_words; w++)
		bytes += strlen(part->word[w]) + 3;
	line = must(malloc(bytes));
	line[0] = '\0';
	for (size_t w = 0; w < part->n_words; w++) {
		bool bare = part->word[w][0] && !strpbrk(part->word[w], " \t\n\r\"#");

		str_add(line, bytes, &len, bare ? "%s%s" : "%s\"%s\"", w ? " " : "", part->word[w]);
	}
	utf8_repair(line);
	l->joined[l->n_pages] = line;
	l->page[l->n_pages] = (struct page){part->name, line, len};
}

void lex_open(struct lex *l, const struct conf_source *s)
{
	size_t bytes = 0;

	*l = (struct lex){0};
	for (size_t p = 0; p < s->n_parts && l->n_pages < LEX_PARTS; p++, l->n_pages++) {
		const struct conf_part *part = &s->part[p];

		bytes += part->bytes;
		for (size_t w = 0; !part->text && w < part->n_words; w++)
			bytes += strlen(part->word[w]);
		if (bytes > LEX_TEXT)
			break;
		if (part->text)
			l->page[l->n_pages] = (struct page){part->name, part->text, part->bytes};
		else
			join(l, part);
	}
}

void lex_close(struct lex *l)
{
	for (unsigned i = 0; i < l->n_tokens; i++)
		free(l->token[i].text);
	free(l->token);
	for (unsigned p = 0; p < l->n_pages; p++)
		free(l->joined[p]);
	*l = (struct lex){0};
}

/* Step over n bytes that stand on one line. */
static void advance(struct cursor *c, size_t n)
{
	c->here.column += utf8_columns(c->text + c->i, n);
	c->i += n;
}

static void new_line(struct cursor *c)
{
	c->i++;
	c->here.line++;
	c->here.column = 1;
	c->here.line_at = c->i;
}

static struct mark mark_here(const struct cursor *c, unsigned length)
{
	struct mark m = c->here;

	m.length = length;
	return m;
}

static void begin(struct cursor *c)
{
	c->token = (struct token){.at = c->here, .is_plain = true};
	c->token.at.order = c->lex->n_tokens;
	c->len = 0;
}

static void add(struct cursor *c, const char *bytes, size_t n)
{
	if (c->token.is_bad)
		return;
	if (n > LEX_WORD - c->len) {
		finding_hint(finding_error(c->findings, &c->token.at,
					   "this word is longer than %d bytes", LEX_WORD),
			     "a missing closing quote makes words long; no option needs one of "
			     "this length");
		c->token.is_bad = true;
		return;
	}
	memcpy(c->buf + c->len, bytes, n);
	c->len += n;
}

/* False when the configuration has too many words: reading ends. */
static bool keep(struct cursor *c)
{
	struct lex *l = c->lex;

	if (l->n_tokens == LEX_WORDS || l->stored + c->len > LEX_STORE) {
		finding_hint(finding_error(c->findings, &c->token.at,
					   "the configuration has more than %d words or %d MiB of "
					   "them; the rest was not read",
					   LEX_WORDS, LEX_STORE >> 20),
			     "a configuration has some hundred words: is this the right file?");
		l->is_full = true;
		return false;
	}
	if (l->n_tokens == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->token = must(reallocarray(l->token, l->cap, sizeof *l->token));
	}
	c->buf[c->len] = '\0';
	c->token.text = must(strdup(c->buf));
	l->stored += c->len;
	l->token[l->n_tokens++] = c->token;
	return true;
}

/* `$`: a substitution, or a plain character. */
static void dollar(struct cursor *c)
{
	struct substitution s = substitute(c->source, c->text + c->i, c->n - c->i);
	struct mark at = mark_here(c, utf8_columns(c->text + c->i, s.bytes));

	if (s.is_refused) {
		finding_hint(finding_error(c->findings, &at, "%s", s.what), "%s", s.hint);
		c->token.is_bad = true;
	} else if (s.value) {
		const char *odd = substitute_odd(s.value, c->is_in_quotes);

		if (odd) {
			finding_hint(finding_error(c->findings, &at, "the value of %.*s holds %s",
						   (int)s.bytes, c->text + c->i, odd),
				     "%s",
				     c->is_in_quotes ? "set the variable to plain text"
						     : "put the substitution in quotes, or set the "
						       "variable to plain text");
			c->token.is_bad = true;
		} else {
			add(c, s.value, strlen(s.value));
			c->token.is_plain = false;
		}
	} else {
		add(c, "$", 1);
	}
	advance(c, s.bytes);
}

/* A character without any meaning of its own. */
static void plain(struct cursor *c)
{
	size_t bytes = utf8_char(c->text + c->i, c->n - c->i);
	struct mark at = mark_here(c, 1);
	unsigned char value = (unsigned char)c->text[c->i];

	if (bytes == 0) {
		if (!c->token.is_bad && (value < 0x20 || value == 0x7f))
			finding_hint(finding_error(c->findings, &at,
						   "byte 0x%02x is a control character", value),
				     "remove it: a configuration is plain text");
		else if (!c->token.is_bad)
			finding_hint(finding_error(c->findings, &at,
						   "byte 0x%02x is no part of UTF-8 text", value),
				     "save the file as UTF-8");
		c->token.is_bad = true;
		bytes = 1;
	} else {
		add(c, c->text + c->i, bytes);
	}
	advance(c, bytes);
}

/* Length of the line end at offset i: LF or CR LF; 0 = none here. */
static size_t line_end(const struct cursor *c, size_t i)
{
	if (i < c->n && c->text[i] == '\n')
		return 1;
	return i + 1 < c->n && c->text[i] == '\r' && c->text[i + 1] == '\n' ? 2 : 0;
}

static void backslash(struct cursor *c)
{
	size_t end = line_end(c, c->i + 1);
	struct mark at = mark_here(c, 1);
	struct diagnostic *d;

	c->token.is_plain = false;
	if (end && c->is_in_quotes) {
		c->i += end;
		new_line(c);
		return;
	}
	if (!c->token.is_bad) {
		d = finding_error(c->findings, &at,
				  end ? "a backslash continues a line only inside quotes"
				      : "a backslash has no defined meaning here");
		finding_hint(d, "%s",
			     end ? "remove it: a newline is white space, an option goes on in the "
				   "next line without any mark"
				 : "remove it; only at the end of a line inside quotes does it "
				   "mean that the quotation goes on");
	}
	c->token.is_bad = true;
	advance(c, 1);
}

static bool is_space(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n' || ch == '\v' || ch == '\f';
}

static unsigned columns_of_line(const struct cursor *c, size_t at)
{
	const char *end = memchr(c->text + at, '\n', c->n - at);

	return utf8_columns(c->text + at, end ? (size_t)(end - c->text) - at : c->n - at);
}

/* One word of a file; the cursor stands on its first character. */
static bool word(struct cursor *c)
{
	struct mark quote = c->here;

	begin(c);
	c->is_in_quotes = false;
	while (c->i < c->n) {
		char ch = c->text[c->i];

		if (c->is_in_quotes ? line_end(c, c->i) > 0 : is_space(ch) || ch == '#')
			break;
		if (ch == '"') {
			quote = mark_here(c, 1);
			c->is_in_quotes = !c->is_in_quotes;
			c->token.is_quoted = true;
			c->token.is_plain = false;
			advance(c, 1);
		} else if (ch == '\\') {
			backslash(c);
		} else if (ch == '$') {
			dollar(c);
		} else {
			plain(c);
		}
	}
	if (c->is_in_quotes) {
		finding_hint(finding_error(c->findings, &quote,
					   "this quotation is not closed in its line"),
			     "close it with \", or end the line with a backslash to go on in the "
			     "next");
		c->token.is_bad = true;
	} else if (c->i < c->n && c->text[c->i] == '#') {
		struct mark at = mark_here(c, 1);

		finding_hint(finding_warn(c->findings, &at,
					  "`#` starts a comment, also right behind a word"),
			     "put the word in quotes if `#` belongs to it, else put a space "
			     "before it");
	}
	c->token.at.length =
		c->here.line == c->token.at.line
			? c->here.column - c->token.at.column
			: columns_of_line(c, c->token.at.line_at) + 1 - c->token.at.column;
	return keep(c);
}

static void read_file(struct cursor *c)
{
	static const char bom[] = {'\xef', '\xbb', '\xbf'};

	if (c->n >= sizeof bom && !memcmp(c->text, bom, sizeof bom)) {
		c->i = c->here.line_at = sizeof bom;
		finding_hint(finding_error(c->findings, &c->here,
					   "the text starts with a byte order mark"),
			     "save the file as UTF-8 without byte order mark");
	}
	while (c->i < c->n) {
		char ch = c->text[c->i];

		if (ch == '\n') {
			new_line(c);
		} else if (is_space(ch)) {
			advance(c, 1);
		} else if (ch == '#') {
			const char *end = memchr(c->text + c->i, '\n', c->n - c->i);

			c->i = end ? (size_t)(end - c->text) : c->n;
		} else if (!word(c)) {
			break;
		}
	}
}

/* The words of a command line: each one token whatever it contains. The page shows them joined;
 * marks cover whole words there. */
static void read_words(struct cursor *c, const struct conf_part *part)
{
	unsigned column = 1;

	for (size_t w = 0; w < part->n_words; w++) {
		const char *text = part->word[w];
		size_t n = strlen(text);
		bool bare = n && !strpbrk(text, " \t\n\r\"#");
		unsigned length = utf8_columns(text, n) + (bare ? 0 : 2);

		c->text = text;
		c->n = n;
		c->i = 0;
		c->here.column = column;
		begin(c);
		c->token.is_plain = bare;
		c->token.is_quoted = !bare;
		c->is_in_quotes = true; /* no character separates */
		while (c->i < n) {
			if (text[c->i] == '$')
				dollar(c);
			else
				plain(c);
		}
		c->token.at.length = length;
		if (!keep(c))
			return;
		column += length + 1;
	}
}

void lex_read(struct lex *l, const struct conf_source *s, struct findings *f)
{
	struct cursor *c = must(calloc(1, sizeof *c));

	for (unsigned p = 0; p < l->n_pages && !l->is_full; p++) {
		*c = (struct cursor){.lex = l, .findings = f, .source = s};
		c->here = (struct mark){.part = p, .line = 1, .column = 1, .length = 1};
		c->text = l->page[p].text;
		c->n = l->page[p].bytes;
		if (s->part[p].text)
			read_file(c);
		else
			read_words(c, &s->part[p]);
	}
	if (l->n_pages < s->n_parts)
		finding_hint(finding_error(f, NULL,
					   "the configuration has more than %d MiB or %d files; "
					   "the rest was not read",
					   LEX_TEXT >> 20, LEX_PARTS),
			     "is this the right file?");
	free(c);
}

struct mark lex_mark(const struct token *t, size_t at, size_t n)
{
	struct mark m = t->at;

	if (t->is_plain) {
		m.column += utf8_columns(t->text, at);
		m.length = n ? utf8_columns(t->text + at, n) : 1;
	}
	return m;
}
