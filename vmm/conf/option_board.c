/* SPDX-License-Identifier: Apache-2.0 */
/* The options about the board as a whole: system, dryrun, unsupported, safety. */
#include <ctype.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/path.h"
#include "vmm/conf/unknown.h"

/* What a name would be if it kept to the rules, as a suggestion; "" if there is nothing of it. */
static void mended(const char *name, char ret[static NAME_CAP])
{
	size_t n = 0;

	for (; *name && n < NAME_CAP - 1; name++) {
		unsigned char c = (unsigned char)*name;
		char low = (char)tolower(c);

		if ((c < 0x80 && isalnum(c)) || (n && strchr("._-", c)))
			ret[n++] = low;
		else if (n)
			ret[n++] = '-';
	}
	ret[n] = '\0';
	if (!name_is_valid(ret))
		ret[0] = '\0';
}

void option_system(struct parse *p, const struct token *t)
{
	struct board *b = p->draft->board;
	char where[FINDING_WHERE], name[NAME_CAP];
	struct diagnostic *d;

	if (p->draft->system_at.line) {
		finding_hint(finding_error(p->findings, &t->at,
					   "a second `system`; the first is in %s",
					   finding_where(p->findings, &p->draft->system_at, &t->at,
							 where)),
			     "a VM has one name: remove one");
		return;
	}
	p->draft->system_at = t->at;
	if (p->has_options)
		finding_hint(
			finding_error(p->findings, &t->at, "`system` must be the first option"),
			"move `system %.64s` before all others", t[1].text);
	if (!name_is_valid(t[1].text)) {
		d = finding_error(p->findings, &t[1].at, "'%.80s' is no name for a VM", t[1].text);
		mended(t[1].text, name);
		finding_hint(d, "1 to 63 of a-z 0-9 . _ -, a letter or digit first%s%s%s",
			     name[0] ? ", like `" : "", name, name[0] ? "`" : "");
		return;
	}
	if (p->source->vm && strcmp(p->source->vm, t[1].text) != 0) {
		finding_hint(finding_error(p->findings, &t[1].at,
					   "`system` says '%s', but this VM is '%s'", t[1].text,
					   p->source->vm),
			     "write `system %s`, or define it as VM '%s'", p->source->vm,
			     t[1].text);
		return;
	}
	str_copy(b->system, sizeof b->system, t[1].text);
}

void option_dump(struct parse *p, const struct token *t)
{
	struct board *b = p->draft->board;

	p->draft->dump_at = t[1].at;
	b->dump_line = t->at.line;
	if (!t[1].text[0] || !strcmp(t[1].text, "|"))
		finding_hint(finding_error(p->findings, &t[1].at, "`dump` names no place"),
			     "write `dump FOLDER`, or `dump \"|COMMAND\"` for a shell command that "
			     "reads the dump");
	else if (!str_copy(b->dump, sizeof b->dump, t[1].text))
		finding_hint(
			finding_error(p->findings, &t[1].at, PATH_TOO_LONG, sizeof b->dump - 1),
			PATH_TOO_LONG_HINT);
}

void option_dryrun(struct parse *p, const struct token *t)
{
	(void)t;
	p->draft->board->dryrun = true;
}

/* Index of a word in its list, or -1 with a finding. */
static int keyword(struct parse *p, const struct token *t, const char *const *word, size_t n,
		   const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(t->text, word[i]))
			return (int)i;
	unknown_keyword(p, t, t->text, word, n, what);
	return -1;
}

void option_unsupported(struct parse *p, const struct token *t)
{
	static const char *const kind[] = {"instruction", "reference", "register"};
	static const char *const reaction[] = {"abort", "fail", "ignore"};
	struct board *b = p->draft->board;
	enum board_reaction *slot[] = {&b->unsupported.instruction, &b->unsupported.reference,
				       &b->unsupported.reg};
	int k = keyword(p, &t[1], kind, NELEMS(kind), "kind of access");
	int r = keyword(p, &t[2], reaction, NELEMS(reaction), "reaction");

	if (k >= 0 && r >= 0)
		*slot[k] = (enum board_reaction)r;
}

void option_safety(struct parse *p, const struct token *t)
{
	static const char *const level[] = {"none", "warn", "required"};
	int l = keyword(p, &t[1], level, NELEMS(level), "safety level");

	if (l == 1)
		finding_hint(finding_warn(p->findings, &t[1].at,
					  "no component of this VM has a safety certificate"),
			     "`safety none` accepts that without a word");
	else if (l == 2)
		finding_hint(finding_error(p->findings, &t[1].at,
					   "no component of this VM has a safety certificate"),
			     "`safety warn` or `safety none` lets it run all the same");
}
