/* SPDX-License-Identifier: Apache-2.0 */
/* The options that bring the guest: load with the words before it, cmdline. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/path.h"

static void before_load(struct parse *p, const struct token *t, enum board_image type)
{
	p->prefix.token = t;
	p->prefix.type = type;
}

void option_data(struct parse *p, const struct token *t)
{
	before_load(p, t, BOARD_IMAGE_DATA);
}

void option_initrd(struct parse *p, const struct token *t)
{
	before_load(p, t, BOARD_IMAGE_INITRD);
}

void option_guest(struct parse *p, const struct token *t)
{
	before_load(p, t, BOARD_IMAGE_GUEST);
}

void option_acpi(struct parse *p, const struct token *t)
{
	before_load(p, t, BOARD_IMAGE_ACPI);
}

/*
 * `ADDRESS,PATH`: what stands before the first comma is an address if it reads as one; a path may
 * hold commas too. False with a finding when it is meant as an address and is none.
 */
static bool read_address(struct parse *p, const struct token *t, struct board_load *ret,
			 size_t *ret_path)
{
	const char *comma = strchr(t->text, ',');
	size_t n = comma ? (size_t)(comma - t->text) : 0;
	struct mark at;
	struct err e;

	*ret_path = 0;
	if (!comma || memchr(t->text, '/', n))
		return true;
	at = lex_mark(t, 0, n);
	if (number_address(t->text, n, &ret->gpa, &e) == 0) {
		ret->has_gpa = true;
		*ret_path = n + 1;
		if (number_is_ambiguous(t->text, n))
			finding_hint(finding_warn(p->findings, &at,
						  "the address '%.*s' is read as hexadecimal",
						  (int)n, t->text),
				     "write 0x%.*s, or 0d%.*s if it is decimal", (int)n, t->text,
				     (int)n, t->text);
		return true;
	}
	if (n && !isdigit((unsigned char)t->text[0]))
		return true;
	finding_hint(finding_error(p->findings, &at, "%s", e.msg),
		     NUMBER_ADDRESS_FORM "; write ./ before the name of a file that holds a comma");
	return false;
}

/* A VM has one guest image and one RAM disk: the last wins. Within one file that is hardly meant. */
static struct draft_load *earlier(struct parse *p, enum board_image type, const struct mark *at)
{
	char where[FINDING_WHERE];

	if (type != BOARD_IMAGE_INITRD && type != BOARD_IMAGE_GUEST)
		return NULL;
	for (unsigned i = 0; i < p->draft->n_loads; i++) {
		struct draft_load *l = &p->draft->load[i];

		if (l->load.type != type)
			continue;
		if (l->at.part == at->part)
			finding_hint(finding_warn(p->findings, at,
						  "this replaces the `%s load` of %s",
						  type == BOARD_IMAGE_GUEST ? "guest" : "initrd",
						  finding_where(p->findings, &l->at, at, where)),
				     "remove one of the two");
		return l;
	}
	return NULL;
}

void option_load(struct parse *p, const struct token *t)
{
	struct board_load load = {.type = BOARD_IMAGE_AUTO, .line = t->at.line, .fd = -1};
	struct draft_load *l;
	struct mark at;
	size_t path;

	if (p->prefix.token)
		load.type = p->prefix.type;
	p->prefix.token = NULL;
	if (!read_address(p, &t[1], &load, &path))
		return;
	at = lex_mark(&t[1], path, strlen(t[1].text + path));
	if (t[1].text[path] == '\0') {
		finding_hint(finding_error(p->findings, &t[1].at, "`load` names no file"),
			     "write `load FILE` or `load ADDRESS,FILE`, without white space behind "
			     "the comma");
		return;
	}
	if (load.type == BOARD_IMAGE_DATA && !load.has_gpa) {
		finding_hint(finding_error(p->findings, &at,
					   "`data load` needs an address: raw bytes do not say "
					   "where they belong"),
			     "write `data load 0x100000,%.100s`", t[1].text + path);
		return;
	}
	if (!str_copy(load.path, sizeof load.path, t[1].text + path)) {
		finding_hint(finding_error(p->findings, &at, PATH_TOO_LONG, sizeof load.path - 1),
			     PATH_TOO_LONG_HINT);
		return;
	}
	if (load.has_gpa)
		at = lex_mark(&t[1], 0, path - 1);
	l = earlier(p, load.type, &at);
	if (!l)
		l = draft_add_load(p->draft, p->findings, &at);
	if (!l)
		return;
	l->load = load;
	l->at = at;
}

void option_cmdline(struct parse *p, const struct token *t)
{
	struct mark *before = &p->draft->cmdline_at;
	char where[FINDING_WHERE];

	if (before->line && before->part == t->at.part)
		finding_hint(finding_warn(p->findings, &t->at, "this replaces the `cmdline` of %s",
					  finding_where(p->findings, before, &t->at, where)),
			     "put both into one: cmdline \"... ...\"");
	*before = t->at;
	if (option_find_any(t[1].text))
		finding_hint(
			finding_warn(p->findings, &t[1].at,
				     "the command line of the guest's kernel is '%s', which is the "
				     "name of an option",
				     t[1].text),
			"if it was meant as that, write what `cmdline` shall be before it");
	if (!str_copy(p->draft->board->cmdline, BOARD_CMDLINE, t[1].text))
		finding_hint(finding_error(p->findings, &t[1].at,
					   "this command line is %zu bytes long; a kernel gets at "
					   "most %d",
					   strlen(t[1].text), BOARD_CMDLINE - 1),
			     "shorten it; a RAM disk can carry what does not fit");
}
