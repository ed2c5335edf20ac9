/* SPDX-License-Identifier: Apache-2.0 */
#include "client/man.h"

#include <ctype.h>
#include <string.h>

#include "client/command.h"
#include "client/help.h"
#include "client/topic.h"

/* Text as roff: nothing in it is a request or an escape (groff_man(7)). */
static void print_text(FILE *f, const char *s, size_t n)
{
	bool starts_line = true;

	for (const char *end = s + n; s < end; s++) {
		if (starts_line && (*s == '.' || *s == '\''))
			fputs("\\&", f);
		starts_line = *s == '\n';
		if (*s == '\\')
			fputs("\\e", f);
		else if (*s == '-')
			fputs("\\-", f);
		else if (*s == '`')
			fputs("\\(oq", f);
		else
			fputc(*s, f);
	}
}

static void print_word(FILE *f, const char *s)
{
	print_text(f, s, strlen(s));
}

/* Paragraphs; lines that begin with a blank stay as they are. */
static void print_prose(FILE *f, const char *s, size_t n)
{
	bool is_set = false, is_new = false;

	for (const char *end = s + n; s < end;) {
		const char *next = memchr(s, '\n', (size_t)(end - s));
		size_t length = (size_t)((next ? next : end) - s);

		if (length == 0) {
			is_new = true;
		} else {
			if (is_set != (*s == ' '))
				fputs(is_set ? ".fi\n" : ".PP\n.nf\n", f);
			if (is_new && *s != ' ')
				fputs(".PP\n", f);
			is_set = *s == ' ';
			is_new = false;
			print_text(f, s, length);
			fputc('\n', f);
		}
		s += length + 1;
	}
	if (is_set)
		fputs(".fi\n", f);
}

static void print_row(FILE *f, const char *term, const char *what)
{
	fputs(".TP\n\\fB", f);
	print_word(f, term);
	fputs("\\fR\n", f);
	print_word(f, what);
	fputc('\n', f);
}

static void print_options(FILE *f, const struct command_option *o)
{
	for (; o && o->name; o++) {
		fputs(".TP\n", f);
		if (o->letter) {
			fputs("\\fB", f);
			print_word(f, o->letter);
			fputs("\\fR, ", f);
		}
		fputs("\\fB", f);
		print_word(f, o->name);
		fputs("\\fR", f);
		if (o->argument) {
			fputs(" \\fI", f);
			print_word(f, o->argument);
			fputs("\\fR", f);
		}
		fputc('\n', f);
		print_word(f, o->what);
		fputc('\n', f);
	}
}

static void print_verb(FILE *f, const struct command *c)
{
	const char *examples = help_examples(c);

	fputs(".SS \"", f);
	print_word(f, c->name);
	fputs(*c->arguments ? " " : "", f);
	print_word(f, c->arguments);
	fputs(c->options ? " [OPTION]...\"\n" : "\"\n", f);
	print_word(f, command_summary(c));
	fputs(".\n.PP\n", f);
	print_prose(f, c->help, (size_t)(examples - 1 - c->help));
	print_options(f, c->options);
	for (const struct command_status *s = c->statuses; s && s->status; s++)
		fprintf(f, ".PP\nExit status %d: %s.\n", s->status, s->what);
	fputs(".PP\n.nf\n", f);
	print_word(f, examples);
	fputs("\n.fi\n", f);
}

static void print_topic(FILE *f, const struct topic *t)
{
	fputs(".SH \"", f);
	for (const char *p = t->name; *p; p++)
		fputc(*p == '-' ? ' ' : toupper((unsigned char)*p), f);
	fputs("\"\n", f);
	print_word(f, t->summary);
	fputs(".\n", f);
	if (t->text)
		print_prose(f, t->text, strlen(t->text));
	t->print(f, print_row);
}

void man_print(FILE *f)
{
	unsigned state = 0;

	fprintf(f,
		".\\\" Made by `qvmadm help --man` from the tables of the client.\n"
		".TH QVMADM 1 \"2026-11-28\" \"qvm %s\" \"qvm\"\n"
		".SH NAME\nqvmadm \\- administer virtual machines with design safe states\n"
		".SH SYNOPSIS\n.B qvmadm\n[\\fIOPTION\\fR]... \\fIVERB\\fR ...\n"
		".SH DESCRIPTION\n"
		"Asks a \\fBqvmd\\fR(8), over its socket or by TLS, to do what the verb says, and "
		"shows "
		"what it answers. A VM is defined from a configuration, see \\fBqvmconf\\fR(5), "
		"then "
		"started, watched, and when it has failed explained and released. Options may "
		"stand "
		"before the verb or behind it.\n"
		".SH OPTIONS\n",
		QVM_VERSION);
	print_options(f, command_common());
	fputs(".SH VERBS\n", f);
	for (const struct command *c; (c = command_next(&state));)
		print_verb(f, c);
	for (const struct topic *t = topic_table; t->name; t++)
		print_topic(f, t);
	fputs(".SH FILES\n", f);
	print_row(f, "/run/qvm/api.sock", "the socket of this host's qvmd");
	print_row(f, "~/.config/qvm/contexts.conf", "the hosts that have names");
	fputs(".SH SEE ALSO\n\\fBqvm\\fR(1), \\fBqvmconf\\fR(5), \\fBqvmd.conf\\fR(5), "
	      "\\fBqvmd\\fR(8), \\fBjournalctl\\fR(1)\n",
	      f);
}
