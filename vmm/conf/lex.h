/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex.h - configuration text into words with their places. Worker; owned by one conf_read().
 *
 * White space, newlines among it, separates words; `#` starts a comment that ends with its line;
 * "..." holds white space and `#` together, also inside a word; a backslash at the end of a line
 * goes on with a quotation in the next. $env{NAME} is replaced everywhere. What the language leaves
 * open (other backslashes, nested substitution) is refused, never guessed. The text is hostile: its
 * bounds are below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vmm/conf/finding.h"

enum {
	LEX_PARTS = 64,
	LEX_TEXT = 1024 * 1024, /* bytes of all parts together */
	LEX_WORD = 4096,	/* bytes of a word after substitution */
	LEX_WORDS = 64 * 1024,
	LEX_STORE = 4 * 1024 * 1024, /* bytes of all words after substitution */
};

struct token {
	struct mark at;
	char *text;	/* without control characters, valid UTF-8 */
	bool is_plain;	/* text as it stands in the source: places inside it can be marked */
	bool is_quoted; /* some of it stood in quotes */
	bool is_bad;	/* an error about it was reported; the text is not to be used */
};

struct lex {
	struct page page[LEX_PARTS];
	char *joined[LEX_PARTS]; /* the text of a page made of words; NULL for files */
	unsigned n_pages;
	struct token *token;
	unsigned n_tokens, cap;
	size_t stored;
	bool is_full; /* a bound was met: the rest was not read */
};

/* The pages only: what findings refer to. Parts beyond the bounds are left out; lex_read() says so. */
void lex_open(struct lex *l, const struct conf_source *s);
void lex_read(struct lex *l, const struct conf_source *s, struct findings *f);
void lex_close(struct lex *l);

/* The mark of n bytes at offset `at` of a token's text, or of the whole token when it is not plain. */
struct mark lex_mark(const struct token *t, size_t at, size_t n);
