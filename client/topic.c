/* SPDX-License-Identifier: Apache-2.0 */
#include "client/topic.h"

#include <string.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/str.h"
#include "client/command.h"
#include "client/output.h"

typedef void row_printer(FILE *f, const char *term, const char *what);

static void print_statuses_of_verbs(FILE *f, row_printer *row, int status)
{
	unsigned state = 0;

	for (const struct command *c; (c = command_next(&state));)
		for (const struct command_status *s = c->statuses; s && s->status; s++) {
			char term[48];

			if (s->status != status)
				continue;
			snprintf(term, sizeof term, "%-3d qvmadm %s", status, c->name);
			row(f, term, s->what);
		}
}

static void print_status(FILE *f, row_printer *row)
{
	row(f, "0", "it is done");
	for (int status = 1; status < 256; status++) {
		print_statuses_of_verbs(f, row, status);
		for (unsigned c = 1; c < ERR_COUNT; c++) {
			char term[48];

			if (err_exit(c) != status)
				continue;
			snprintf(term, sizeof term, "%-3d %s", status, err_id(c));
			row(f, term, err_hint(c));
		}
	}
}

static void print_environment(FILE *f, row_printer *row)
{
	static const struct {
		const char *name, *what;
	} variables[] = {
		{"QVM_HOST", "the server, as -H takes it, unless -H or --context names one"},
		{"QVM_CONTEXT", "the context, unless -H, --context or QVM_HOST names a server"},
		{"QVM_TOKEN", "secret of a token, unless the context has one"},
		{"QVM_CACERT", "PEM file of the authority to trust, unless the context has one"},
		{"QVM_CERT", "PEM file of a client certificate, unless the context has one"},
		{"QVM_KEY", "PEM file of its key"},
		{"NO_COLOR", "when it is not empty, no colours (no-color.org)"},
		{"TERM", "no colours when it is \"dumb\" or not set"},
		{"LANG, LC_ALL", "whether the terminal shows UTF-8"},
		{"XDG_CONFIG_HOME", "where qvm/contexts.conf is; else ~/.config"},
	};

	for (size_t i = 0; i < NELEMS(variables); i++)
		row(f, variables[i].name, variables[i].what);
}

static void print_forms(FILE *f, row_printer *row)
{
	for (unsigned i = 0; i < OUTPUT_FORMS; i++)
		row(f, output_table[i].word, output_table[i].what);
}

static void print_sources(FILE *f, row_printer *row)
{
	static const char *const source[][2] = {
		{"1  -H HOST", "typed"},
		{"2  --context NAME", "typed"},
		{"3  QVM_HOST", "of the environment"},
		{"4  QVM_CONTEXT", "of the environment"},
		{"5  current", "that `qvmadm context use NAME` chose"},
		{"6  the system's", "unix:/run/qvm/api.sock"},
	};

	for (size_t i = 0; i < NELEMS(source); i++)
		row(f, source[i][0], source[i][1]);
}

const struct topic topic_table[] = {
	{"exit-status", "What qvmadm exits with", NULL, print_status},
	{"environment", "What it takes from its environment", NULL, print_environment},
	{"contexts", "Which server is asked", "The first of these that is given counts:\n",
	 print_sources},
	{"format", "The forms of its output",
	 "-o FORM chooses one; `qvmadm VERB --help` says which a verb has. Colours and cuts are "
	 "for "
	 "terminals alone: a pipe gets plain and whole text.\n",
	 print_forms},
	{0},
};

const struct topic *topic_find(const char *name)
{
	for (const struct topic *t = topic_table; t->name; t++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

const struct topic *topic_near(const char *name)
{
	struct str_near near = str_near(name);

	for (const struct topic *t = topic_table; t->name; t++) {
		if (!strncmp(t->name, name, strlen(name)))
			return t;
		str_try(&near, t->name);
	}
	return near.near ? topic_find(near.near) : NULL;
}
