/* SPDX-License-Identifier: Apache-2.0 */
/* option_man() and option_words(): the tables of the language as qvmconf(5) and for completion. */
#include <string.h>

#include "vmm/conf/option.h"
#include "vmm/vdev/vdev.h"

/* Text of a table as roff: nothing in it is a request or an escape (groff_man(7)). */
static void text(const char *s, FILE *out)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", out);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '-')
			fputs("\\-", out);
		else if (*s == '`')
			fputs("\\(oq", out);
		else
			fputc(*s, out);
	}
}

/* A tagged paragraph: name in bold, argument in italics, then what it does. */
static void row(const char *name, const char *argument, const char *what, const char *mend,
		FILE *out)
{
	fputs(".TP\n\\fB", out);
	text(name, out);
	fputs("\\fR", out);
	if (argument && *argument) {
		fputs(" \\fI", out);
		text(argument, out);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	text(what, out);
	fputc('\n', out);
	if (mend) {
		fputs("Not in this release: ", out);
		text(mend, out);
		fputs(".\n", out);
	}
	for (const struct option_example *x = option_example_table; x->topic; x++) {
		if (strcmp(x->topic, name) != 0)
			continue;
		fputs("Example: \\fB", out);
		text(x->text, out);
		fputs("\\fR\n", out);
	}
}

static void context(enum option_context context, const char *title, FILE *out)
{
	fprintf(out, ".SS %s\n", title);
	for (const struct option *o = option_table; o->name; o++)
		if (o->context == context)
			row(o->name, o->form, o->what, o->mend, out);
}

static void classes(FILE *out)
{
	unsigned state = 0;

	fputs(".SH VIRTUAL DEVICES\n", out);
	for (const struct vdev_class *c; (c = vdev_class_next(&state));) {
		fputs(".SS vdev ", out);
		text(c->name, out);
		fputc('\n', out);
		text(c->summary ? c->summary : c->name, out);
		fputs(c->is_implicit ? " (on every board).\n" : ".\n", out);
		for (const struct vdev_option *o = c->options; o && o->name; o++)
			row(o->name, o->argument, o->what, NULL, out);
	}
	fputs(".SS Devices that are not in this release\n", out);
	for (const struct vdev_later *l = vdev_later_table; l->name; l++)
		row(l->name, NULL, l->mend, NULL, out);
}

void option_man(FILE *out)
{
	fputs(".TH QVMCONF 5 \"2026-11-23\" \"qvm " QVM_VERSION "\" \"File formats\"\n"
	      ".SH NAME\nqvmconf \\- configuration of a virtual machine for qvm\n"
	      ".SH DESCRIPTION\n"
	      "A file *.qvmconf says of which parts the board of a virtual machine is assembled.\n"
	      "It is a list of words: options and their arguments. White space and the ends of\n"
	      "lines separate words, \\(lq...\\(rq holds white space together, # starts a comment "
	      "that\nends with its line, and $env{NAME} is replaced by that environment variable.\n"
	      ".PP\n"
	      "An option that opens a context (vdev, cpu, reserve, pass) owns what follows up to "
	      "the\nnext one that does; global options may stand between. The last of several "
	      "equal\noptions wins. system comes first, ram and rom before the load that fills "
	      "them, an\ninterrupt controller before the vdev whose intr names it.\n"
	      ".PP\n"
	      "An address is hexadecimal and a size decimal, in bytes, unless 0x or 0d stands "
	      "before\nit; K, M and G may follow. Relative paths start at the folder of their "
	      "file.\n"
	      ".SH OPTIONS\n",
	      out);
	context(OPTION_GLOBAL, "Everywhere", out);
	context(OPTION_RESERVE, "Behind reserve", out);
	context(OPTION_CPU, "Behind cpu", out);
	context(OPTION_PASS, "Behind pass", out);
	context(OPTION_VDEV, "Behind every vdev", out);
	classes(out);
	fputs(".SH VARIABLES OF SET\n", out);
	for (const struct variable *v = variable_table; v->name; v++)
		row(v->name, variable_type_form(v->type), v->what, v->mend, out);
	fputs(".SH SEE ALSO\n\\fBqvm help\\fR, \\fBqvm @\\fR\\fIFILE\\fR \\fBdryrun\\fR\n", out);
}

void option_words(const char *const *topic, int n, FILE *out)
{
	static const struct {
		const char *name;
		enum option_context context;
	} opener[] = {{"reserve", OPTION_RESERVE}, {"cpu", OPTION_CPU}, {"pass", OPTION_PASS}};
	enum option_context context = n == 0 ? OPTION_GLOBAL : OPTION_NONE;
	const struct vdev_class *class = NULL;
	unsigned state = 0;

	for (size_t i = 0; n && i < sizeof opener / sizeof *opener; i++)
		if (!strcmp(topic[0], opener[i].name))
			context = opener[i].context;
	if (n == 2 && !strcmp(topic[0], "vdev")) {
		context = OPTION_VDEV;
		class = vdev_class_find(topic[1]);
	}
	for (const struct vdev_option *o = class ? class->options : NULL; o && o->name; o++)
		fprintf(out, "%s\n", o->name);
	for (const struct option *o = option_table; o->name; o++)
		if (context != OPTION_NONE && o->context == context && !o->mend)
			fprintf(out, "%s\n", o->name);
	for (const struct vdev_class *c;
	     n == 1 && !strcmp(topic[0], "vdev") && (c = vdev_class_next(&state));)
		fprintf(out, "%s\n", c->name);
	for (const struct variable *v = variable_table;
	     n == 1 && !strcmp(topic[0], "set") && v->name; v++)
		if (!v->mend)
			fprintf(out, "%s\n", v->name);
}
