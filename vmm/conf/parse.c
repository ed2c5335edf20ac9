/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/parse.h"

#include <string.h>

#include "base/str.h"
#include "vmm/conf/unknown.h"
#include "vmm/vdev/vdev.h"

struct draft_vdev *parse_vdev(struct parse *p)
{
	return &p->draft->vdev[p->vdev];
}

/* The option of the open vdev's class, or NULL. */
static const struct vdev_option *class_option(struct parse *p, const char *name)
{
	const struct vdev_option *o;

	if (p->context != OPTION_VDEV || p->is_blind)
		return NULL;
	o = parse_vdev(p)->vdev->class->options;
	for (; o && o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

static const struct option *find(struct parse *p, const char *name)
{
	const struct option *o = option_find(name, p->context);

	return o ? o : option_find(name, OPTION_GLOBAL);
}

static bool is_option(struct parse *p, const struct token *t)
{
	return !t->is_bad && !t->is_quoted &&
	       (find(p, t->text) || class_option(p, t->text) || t->text[0] == '@');
}

static const struct token *token(const struct parse *p, unsigned i)
{
	return i < p->lex->n_tokens ? &p->lex->token[i] : NULL;
}

/* From the word behind a fault: over the rest of the line, but not over an option. */
static unsigned resume(struct parse *p, unsigned i)
{
	const struct mark *fault = &p->lex->token[i - 1].at;

	for (const struct token *t; (t = token(p, i)); i++)
		if (t->at.part != fault->part || t->at.line != fault->line || is_option(p, t))
			break;
	return i;
}

/*
 * True when n arguments follow option i. A newline is white space, but a word that begins a new
 * line and is an option's name is taken for the next option: `system` alone, then `ram 1M`.
 */
static bool has_arguments(struct parse *p, unsigned i, unsigned n, bool is_strict,
			  const char *usage, const char *what)
{
	const struct token *option = token(p, i);

	for (unsigned k = 1; k <= n; k++) {
		const struct token *t = token(p, i + k);
		struct diagnostic *d;
		bool is_next = t && is_option(p, t);

		if (t && t->at.part == option->at.part &&
		    !(is_next && (is_strict || t->at.line != option->at.line)))
			continue;
		d = finding_error(p->findings, &option->at, "`%s` lacks its %sargument",
				  option->text, n == 2 ? k == 1 ? "first " : "second " : "");
		if (t && t->at.part != option->at.part)
			finding_hint(d,
				     "`%s`: %s; the argument must follow in the same file as its "
				     "option",
				     usage, what);
		else if (is_next && !is_strict)
			finding_hint(d, "`%s`: %s; if '%s' is meant, put it in quotes", usage, what,
				     t->text);
		else
			finding_hint(d, "`%s`: %s", usage, what);
		return false;
	}
	return true;
}

static int set_own(struct vdev *d, const struct vdev_option *o, const char *value, struct err *e)
{
	return o->set_one ? o->set_one(d, o, value, e) : o->set(d, value, e);
}

/* An option of the open vdev's class; returns the index behind it. */
static unsigned apply_class(struct parse *p, unsigned i, const struct vdev_option *o)
{
	const struct token *t = token(p, i), *value;
	struct draft_vdev *v = parse_vdev(p);
	char usage[120];
	struct err e = {0};
	size_t len = 0;

	str_add(usage, sizeof usage, &len, "%s%s%s", o->name, o->argument ? " " : "",
		o->argument ? o->argument : "");
	if (o->argument && !has_arguments(p, i, 1, false, usage, o->what)) {
		v->is_wrong = true;
		return resume(p, i + 1);
	}
	value = o->argument ? t + 1 : t;
	if (value->is_bad) {
		v->is_wrong = true;
		return resume(p, i + 2);
	}
	if (set_own(v->vdev, o, o->argument ? value->text : NULL, &e) < 0) {
		finding_hint(finding_error(p->findings, &value->at, "%s", e.msg), "`%s`: %s", usage,
			     o->what);
		v->is_wrong = true;
		return resume(p, i + 1 + (o->argument != NULL));
	}
	p->last = t;
	return i + 1 + (o->argument != NULL);
}

static void refuse(struct parse *p, const struct token *t, const struct option *o)
{
	const char *context = option_context_name(o->context);

	finding_hint(finding_error(p->findings, &t->at,
				   "`%s%s%s` (%s) is not in this release of qvm", context,
				   context[0] ? " " : "", o->name, o->what),
		     "%s", o->mend);
}

static void enter(struct parse *p, const struct option *o)
{
	if (o->opens == OPTION_NONE)
		return;
	p->context = o->opens;
	p->is_blind = o->mend || o->opens == OPTION_VDEV; /* until option_vdev() has made it */
}

/* An error in these makes others follow that are not to be reported. */
static void taint(struct parse *p, const struct option *o)
{
	if (o->set == option_ram || o->set == option_rom)
		p->draft->memory_is_wrong = true;
	else if (o->set == option_load || !strcmp(o->name, "acpi") || !strcmp(o->name, "fdt"))
		p->draft->loads_are_wrong = true;
	else if ((o->context == OPTION_VDEV || o->context == OPTION_PASS) && !p->is_blind)
		parse_vdev(p)->is_wrong = true;
}

/* An unknown word may be any option, most likely the nearest one. */
static void taint_unknown(struct parse *p, const char *nearest)
{
	struct draft *d = p->draft;

	d->memory_is_wrong |= !nearest || !strcmp(nearest, "ram") || !strcmp(nearest, "rom");
	d->vdevs_are_wrong |= !nearest || !strcmp(nearest, "vdev");
	if (p->context == OPTION_VDEV)
		parse_vdev(p)->is_wrong = true;
}

static bool is_any_bad(const struct token *t, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		if (t[k].is_bad)
			return true;
	return false;
}

/* An option of the table; returns the index behind it. */
static unsigned apply(struct parse *p, unsigned i, const struct option *o)
{
	const struct token *t = token(p, i);
	unsigned n = option_n_args(o), errors = p->findings->n_errors;
	bool is_passed_over = p->is_blind && o->context != OPTION_GLOBAL;
	char usage[120];

	if (is_passed_over) {
		/* the name of a refused vdev is kept: whoever refers to it is not at fault */
		if (o->set == option_vdev_name && token(p, i + 1) && p->vdev < p->draft->n_vdevs &&
		    !parse_vdev(p)->vdev)
			str_copy(parse_vdev(p)->name, VDEV_NAME, token(p, i + 1)->text);
		return i + 1;
	}
	enter(p, o);
	if (!has_arguments(p, i, n, o->args == OPTION_ARGS_STRICT, option_usage(o, usage),
			   o->what)) {
		n = 0;
		p->is_blind |= o->opens != OPTION_NONE;
		p->prefix.token = NULL;
	} else if (is_any_bad(t + 1, n)) {
		p->is_blind |= o->opens != OPTION_NONE;
		p->draft->vdevs_are_wrong |= o->set == option_vdev;
		p->prefix.token = NULL;
		taint(p, o);
		return resume(p, i + n + 1);
	} else if (o->mend) {
		refuse(p, t, o);
	} else {
		o->set(p, t);
	}
	p->has_options = true;
	p->last = t;
	if (p->findings->n_errors == errors)
		return i + n + 1;
	taint(p, o);
	p->last = NULL;
	return resume(p, i + n + 1);
}

/* A word before `load` that has no `load` behind it. */
static void end_prefix(struct parse *p, const struct token *next)
{
	const struct token *t = p->prefix.token;
	struct diagnostic *d;

	p->prefix.token = NULL;
	d = finding_error(p->findings, &t->at, "`%s` stands without the `load` it is for", t->text);
	if (next && !strcmp(next->text, "pass"))
		finding_hint(d, "write `pass` alone: what a type before it does is not documented");
	else
		finding_hint(d, "write `%s load FILE`", t->text);
	p->draft->loads_are_wrong = true;
}

static unsigned step(struct parse *p, unsigned i)
{
	const struct token *t = token(p, i);
	const struct vdev_option *own;
	const struct option *o;

	if (t->is_bad)
		return resume(p, i + 1);
	if (p->prefix.token && strcmp(t->text, "load") != 0)
		end_prefix(p, t);
	if (t->text[0] == '@') {
		finding_hint(finding_error(p->findings, &t->at,
					   "a file cannot take in another one: '%.64s'", t->text),
			     "name both where qvm is started, in order: qvm %.64s @...", t->text);
		return i + 1;
	}
	own = class_option(p, t->text);
	if (own)
		return apply_class(p, i, own);
	o = find(p, t->text);
	if (o)
		return apply(p, i, o);
	if (!p->is_blind) {
		taint_unknown(p, unknown_option(p, t));
	}
	return resume(p, i + 1);
}

void parse_run(struct parse *p)
{
	unsigned part = 0;

	p->context = OPTION_GLOBAL;
	for (unsigned i = 0; i < p->lex->n_tokens;) {
		if (p->lex->token[i].at.part != part) {
			if (p->prefix.token)
				end_prefix(p, NULL);
			part = p->lex->token[i].at.part;
			p->context = OPTION_GLOBAL;
			p->is_blind = false;
			p->last = NULL;
		}
		i = step(p, i);
	}
	if (p->prefix.token)
		end_prefix(p, NULL);
}
