/* SPDX-License-Identifier: Apache-2.0 */
/* option_help(): the tables of the language, printed. */
#include <string.h>

#include "vmm/conf/option.h"
#include "vmm/conf/suggest.h"
#include "vmm/vdev/vdev.h"

static void print_option(const struct option *o, FILE *out)
{
	char usage[120];

	fprintf(out, "  %-46s %s%s\n", option_usage(o, usage), o->what,
		o->mend ? " (not in this release)" : "");
}

static void print_examples(const char *topic, FILE *out)
{
	for (const struct option_example *x = option_example_table; x->topic; x++)
		if (!strcmp(x->topic, topic))
			fprintf(out, "      example: %s\n", x->text);
}

static void print_context(enum option_context context, const char *title, FILE *out)
{
	bool is_first = true;

	for (const struct option *o = option_table; o->name; o++) {
		if (o->context != context)
			continue;
		if (is_first)
			fprintf(out, "%s\n", title);
		is_first = false;
		print_option(o, out);
	}
	if (!is_first)
		fputc('\n', out);
}

static void print_variables(FILE *out)
{
	fprintf(out, "Variables of `set`\n");
	for (const struct variable *v = variable_table; v->name; v++)
		fprintf(out, "  %-46s %s%s\n", v->name, v->what,
			v->mend ? " (not in this release)" : "");
	fputc('\n', out);
}

static void print_classes(FILE *out)
{
	unsigned state = 0;

	fprintf(out, "Virtual devices for `vdev`\n");
	for (const struct vdev_class *c; (c = vdev_class_next(&state));)
		fprintf(out, "  %-46s %s%s\n", c->name, c->summary ? c->summary : "",
			c->is_implicit ? " (on every board)" : "");
	fputc('\n', out);
}

static void print_own(const struct vdev_option *o, FILE *out)
{
	char usage[120];

	snprintf(usage, sizeof usage, "%s%s%s", o->name, o->argument ? " " : "",
		 o->argument ? o->argument : "");
	fprintf(out, "  %-46s %s\n", usage, o->what);
}

static void print_class(const struct vdev_class *c, FILE *out)
{
	fprintf(out, "vdev %s: %s\n", c->name, c->summary ? c->summary : "");
	if (c->needs_loc && !c->region[0].base)
		fprintf(out, "  its place is `loc %s`\n",
			c->space == VDEV_IO ? "io:PORT" : "ADDRESS");
	for (unsigned r = c->needs_loc && !c->region[0].base;
	     r < VDEV_REGIONS && c->region[r].bytes; r++)
		fprintf(out, "  by default at %s 0x%llx, %llu bytes\n",
			c->space == VDEV_IO ? "I/O port" : "address",
			(unsigned long long)c->region[r].base,
			(unsigned long long)c->region[r].bytes);
	if (c->intr >= 0)
		fprintf(out, "  by default on interrupt line %d\n", c->intr);
	if (c->options)
		fprintf(out, "\nIts own options\n");
	for (const struct vdev_option *o = c->options; o && o->name; o++)
		print_own(o, out);
	fputc('\n', out);
	print_context(OPTION_VDEV, "Options of every vdev", out);
}

static void print_all(FILE *out)
{
	print_context(OPTION_GLOBAL, "Options", out);
	print_context(OPTION_RESERVE, "Options of `reserve`", out);
	print_context(OPTION_CPU, "Options of `cpu`", out);
	print_context(OPTION_VDEV, "Options of every `vdev`; `qvm help NAME` shows its own", out);
	print_classes(out);
	print_variables(out);
	fprintf(out, "An address is hexadecimal and a size decimal unless 0x or 0d stands before "
		     "it;\nK, M and G may follow. `#` starts a comment, \"...\" holds white space "
		     "together,\n$env{NAME} is replaced by that environment variable.\n");
}

static int help_options(const char *topic, FILE *out)
{
	int found = -1;

	for (const struct option *o = option_table; o->name; o++) {
		if (strcmp(o->name, topic) != 0)
			continue;
		if (o->context != OPTION_GLOBAL)
			fprintf(out, "  (behind `%s`)\n", option_context_name(o->context));
		print_option(o, out);
		if (o->mend)
			fprintf(out, "      instead: %s\n", o->mend);
		if (o->opens != OPTION_NONE)
			print_context(o->opens, "\nOptions behind it", out);
		if (!strcmp(topic, "vdev"))
			print_classes(out);
		if (!strcmp(topic, "set"))
			print_variables(out);
		found = 0;
	}
	return found;
}

/* Of every vdev that has one of that name. */
static int help_own(const char *topic, FILE *out)
{
	unsigned state = 0;
	int found = -1;

	for (const struct vdev_class *c; (c = vdev_class_next(&state));)
		for (const struct vdev_option *o = c->options; o && o->name; o++) {
			if (strcmp(o->name, topic) != 0)
				continue;
			fprintf(out, "  (behind `vdev %s`)\n", c->name);
			print_own(o, out);
			found = 0;
		}
	return found;
}

static int help_variables(const char *topic, FILE *out)
{
	int found = -1;

	for (const struct variable *v = variable_table; v->name; v++) {
		if (strcmp(v->name, topic) != 0)
			continue;
		fprintf(out, "  set %s: %s; takes %s\n", v->name, v->what,
			variable_type_form(v->type));
		if (v->mend)
			fprintf(out, "      not in this release; instead: %s\n", v->mend);
		found = 0;
	}
	return found;
}

static int help_later(const char *class, FILE *out)
{
	int found = -1;

	for (const struct vdev_later *l = vdev_later_table; l->name; l++) {
		if (strcmp(l->name, class) != 0)
			continue;
		fprintf(out, "  vdev %s is not in this release; instead: %s\n", l->name, l->mend);
		found = 0;
	}
	return found;
}

int option_help(const char *topic, FILE *out)
{
	const struct vdev_class *class;
	char name[VDEV_NAME];

	if (!topic) {
		print_all(out);
		return 0;
	}
	vdev_class_name(topic, name);
	class = vdev_class_find(name);
	if (class) {
		print_class(class, out);
		print_examples(name, out);
		return 0;
	}
	/* Each of them may know it: `debug`, `hostdev`. */
	if ((help_options(topic, out) & help_own(topic, out) & help_variables(topic, out) &
	     help_later(name, out)) < 0)
		return -1;
	print_examples(topic, out);
	return 0;
}

const char *option_help_near(const char *topic)
{
	struct suggestion s = {.word = topic};
	char name[VDEV_NAME];
	unsigned state = 0;

	for (const struct option *o = option_table; o->name; o++)
		suggest_consider(&s, o->name);
	for (const struct variable *v = variable_table; v->name; v++)
		suggest_consider(&s, v->name);
	vdev_class_name(topic, name);
	s.word = name;
	for (const struct vdev_class *c; (c = vdev_class_next(&state));) {
		suggest_consider(&s, c->name);
		for (const struct vdev_option *o = c->options; o && o->name; o++)
			suggest_consider(&s, o->name);
	}
	for (const struct vdev_later *l = vdev_later_table; l->name; l++)
		suggest_consider(&s, l->name);
	return s.best;
}
