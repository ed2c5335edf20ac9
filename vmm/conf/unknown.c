/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/unknown.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "vmm/conf/number.h"
#include "vmm/conf/parse.h"
#include "vmm/conf/suggest.h"
#include "vmm/vdev/plugin.h"
#include "vmm/vdev/vdev.h"

/* The class that has an option of that name, or NULL. */
static const struct vdev_class *class_with(const char *option)
{
	unsigned i = 0;

	for (const struct vdev_class *c = vdev_class_next(&i); c; c = vdev_class_next(&i))
		for (const struct vdev_option *o = c->options; o && o->name; o++)
			if (!strcmp(o->name, option))
				return c;
	return NULL;
}

static void consider_class(struct suggestion *s, const struct vdev_class *class)
{
	for (const struct vdev_option *o = class->options; o && o->name; o++)
		suggest_consider(s, o->name);
}

/* The nearest option that may stand in the open context. */
static const char *nearest(struct parse *p, const char *word)
{
	struct suggestion s = {.word = word};

	if (p->context == OPTION_VDEV && !p->is_blind)
		consider_class(&s, parse_vdev(p)->vdev->class);
	for (const struct option *o = option_table; o->name; o++)
		if (o->context == p->context)
			suggest_consider(&s, o->name);
	for (const struct option *o = option_table; o->name; o++)
		if (o->context == OPTION_GLOBAL)
			suggest_consider(&s, o->name);
	return s.best;
}

/* An option, but of another context. */
static bool is_misplaced(struct parse *p, const struct token *t)
{
	const struct option *o = option_find(t->text, OPTION_VDEV);
	const struct vdev_class *class = class_with(t->text);
	struct diagnostic *d;

	if (!o)
		o = option_find_any(t->text);

	if (!o && !class)
		return false;
	if (p->context == OPTION_VDEV && class) {
		d = finding_error(p->findings, &t->at, "`vdev %s` has no option `%s`",
				  parse_vdev(p)->vdev->class->name, t->text);
		finding_hint(d, "`vdev %s` has one; options follow the `vdev` they are for",
			     class->name);
		return true;
	}
	d = finding_error(p->findings, &t->at, "`%s` is an option of `%s` and cannot stand here",
			  t->text, class ? "vdev" : option_context_name(o->context));
	if (class)
		finding_hint(d, "put it right behind the `vdev %s` it is for", class->name);
	else
		finding_hint(d, "put it right behind the `%s` it is for",
			     option_context_name(o->context));
	return true;
}

/* The word holds an option's name and more: "ram=1G", "ram2M", "--dryrun". Returns that option, or
 * NULL. */
static const char *dressed(struct parse *p, const struct token *t)
{
	const char *word = t->text + strspn(t->text, "-"), *rest;
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz-");
	const struct option *o;
	struct diagnostic *d;
	char name[32];

	if (n == 0 || n >= sizeof name || (word == t->text && word[n] == '\0'))
		return NULL;
	memcpy(name, word, n);
	name[n] = '\0';
	o = option_find_any(name);
	if (!o && !class_with(name))
		return NULL;
	rest = word + n + (word[n] && strchr("=:,", word[n]));
	d = finding_error(p->findings, &t->at, "unknown option '%.64s'", t->text);
	if (*rest)
		finding_hint(d, "an option and its argument are two words: write `%s %.64s`", name,
			     rest);
	else
		finding_hint(d, "write it bare: `%s`", name);
	return o ? o->name : class_with(name)->name;
}

/* A file named without its '@'. */
static bool is_file_name(const struct token *t)
{
	static const char ending[] = ".qvmconf";
	size_t n = strlen(t->text);

	return n >= sizeof ending && !strcmp(t->text + n - (sizeof ending - 1), ending);
}

/* It stands in the line of a good option: rather more of its argument than an option. */
static bool is_behind_last(const struct parse *p, const struct token *t)
{
	return p->last && p->last->at.part == t->at.part && p->last->at.line == t->at.line &&
	       option_find_any(p->last->text);
}

const char *unknown_option(struct parse *p, const struct token *t)
{
	const struct option *before;
	const char *best;
	struct diagnostic *d;
	char usage[120];
	uint64_t number;
	struct err e;

	if (is_misplaced(p, t))
		return t->text;
	if (is_file_name(t)) {
		finding_hint(finding_error(p->findings, &t->at, "unknown option '%.64s'", t->text),
			     "did you mean `@%.64s`? `@` marks a configuration file", t->text);
		return NULL;
	}
	best = dressed(p, t);
	if (best)
		return best;
	best = nearest(p, t->text);
	if (best) {
		finding_hint(finding_error(p->findings, &t->at, "unknown option '%.64s'", t->text),
			     "did you mean `%s`?", best);
		return best;
	}
	if (number_address(t->text, strlen(t->text), &number, &e) == 0 &&
	    isdigit((unsigned char)t->text[0]))
		d = finding_error(p->findings, &t->at,
				  "the number '%.64s' stands where an option must", t->text);
	else
		d = finding_error(p->findings, &t->at, "unknown option '%.64s'", t->text);
	if (!is_behind_last(p, t)) {
		finding_hint(d, "`qvm help` lists the options");
		return NULL;
	}
	before = option_find_any(p->last->text);
	finding_hint(d,
		     before->args == OPTION_ARGS_FREE
			     ? "before it stands `%s`; an argument with white space must be in "
			       "quotes"
			     : "`%s` before it is complete; `qvm help` lists the options",
		     option_usage(before, usage));
	return p->last->text;
}

/* Names as "a, b and c" into a bounded text. */
static void list(char *ret, size_t cap, const char *const *name, size_t n)
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < n; i++)
		str_add(ret, cap, &len, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", name[i]);
}

void unknown_vdev(struct parse *p, const struct token *t, const char *name)
{
	struct suggestion s = {.word = name};
	const char *names[32];
	char all[200];
	unsigned state = 0, n = 0;
	struct diagnostic *d;

	if (plugin_refusal(name)) {
		p->draft->vdevs_are_wrong = true;
		d = finding_error(p->findings, &t->at, "%s", plugin_refusal(name));
		finding_hint(d, "mend it in the host's folder of vdevs, or remove this vdev");
		return;
	}
	for (const struct vdev_later *v = vdev_later_table; v->name; v++) {
		if (!strcmp(v->name, name)) {
			d = finding_error(p->findings, &t->at,
					  "`vdev %s` is not in this release of qvm", name);
			finding_hint(d, "%s", v->mend);
			return;
		}
	}
	for (const struct vdev_class *c; (c = vdev_class_next(&state));) {
		suggest_consider(&s, c->name);
		if (n < 32)
			names[n++] = c->name;
	}
	for (const struct vdev_later *v = vdev_later_table; v->name; v++)
		suggest_consider(&s, v->name);
	/* whatever it is, it may be the controller that others name in `intr` */
	p->draft->vdevs_are_wrong = true;
	d = finding_error(p->findings, &t->at, "unknown vdev '%.64s'", name);
	if (s.best) {
		finding_hint(d, "did you mean `vdev %s`?", s.best);
	} else if (plugin_folder_refusal()) {
		finding_hint(d, "vdevs of this host: %s", plugin_folder_refusal());
	} else {
		list(all, sizeof all, names, n);
		finding_hint(d, "a vdev is one of %s", all);
	}
}

void unknown_variable(struct parse *p, const struct token *t)
{
	struct suggestion s = {.word = t->text};
	const char *names[32];
	char all[200];
	unsigned n = 0;
	struct diagnostic *d;

	for (const struct variable *v = variable_table; v->name; v++) {
		suggest_consider(&s, v->name);
		if (!v->mend && n < 32)
			names[n++] = v->name;
	}
	d = finding_error(p->findings, &t->at, "unknown variable '%.64s'", t->text);
	if (s.best) {
		finding_hint(d, "did you mean `set %s`?", s.best);
	} else {
		list(all, sizeof all, names, n);
		finding_hint(d, "a variable of this release is %s", all);
	}
}

void unknown_keyword(struct parse *p, const struct token *t, const char *word,
		     const char *const *keyword, size_t n, const char *what)
{
	struct suggestion s = {.word = word};
	struct mark at = t->at;
	const char *found = strstr(t->text, word);
	struct diagnostic *d;
	char all[200];

	for (size_t i = 0; i < n; i++)
		suggest_consider(&s, keyword[i]);
	if (found)
		at = lex_mark(t, (size_t)(found - t->text), strlen(word));
	list(all, sizeof all, keyword, n);
	d = finding_error(p->findings, &at, "'%.64s' is no %s", word, what);
	if (s.best)
		finding_hint(d, "did you mean `%s`? It must be %s", s.best, all);
	else
		finding_hint(d, "it must be %s", all);
}
