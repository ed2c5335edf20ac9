/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - the class of qvmadm's verbs. A verb is one file client/cmd_<verb>.c, ending in
 * COMMAND_REGISTER(class); help and completion are made from the class.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "client/http.h"
#include "client/output.h"
#include "schemas/op.h"

enum { COMMAND_ARGUMENTS = 64, COMMAND_GIVEN = 64 };

/* The order of the overview. */
enum command_group { COMMAND_SETUP, COMMAND_ACT, COMMAND_LOOK, COMMAND_HELP, COMMAND_GROUPS };

struct command_option {
	const char *name;     /* "--tail" */
	const char *letter;   /* "-n"; NULL = none */
	const char *argument; /* "N" for the help; NULL = takes none */
	const char *what;
};

/* An end that is no error. */
struct command_status {
	int status;
	const char *what;
};

struct command;

/* One invocation. */
struct command_call {
	const struct command *command;
	struct http *http;
	const char *host, *context, *form; /* as given; NULL = not */
	enum output output;
	bool as_json; /* output is JSON */
	bool is_verbose, wants_help;
	const char *argument[COMMAND_ARGUMENTS]; /* NULL where absent */
	struct {
		const struct command_option *option;
		const char *value; /* "" for an option without argument */
	} given[COMMAND_GIVEN];
	unsigned n_given;
};

struct command {
	const char *name, *alias; /* alias: what other tools call it; NULL = nothing else */
	enum command_group group;
	const char *arguments; /* "VM FILE"; "[VERB]" may be left out, "..." repeats */
	const char *summary;   /* one line; NULL = that of op's row in schemas/ops.def */
	enum op_id op;
	unsigned forms;	  /* OUTPUT_IN()s that it can take beside a table and JSON */
	bool is_local;	  /* asks no server, so that none has to be known */
	const char *help; /* a paragraph, then examples */
	const struct command_option *options; /* ends with a NULL name; NULL = none */
	const struct command_status
		*statuses;	     /* beside 0 and those of errors; ends with 0; NULL = none */
	void (*print_more)(FILE *f); /* what a table adds to the help; NULL = nothing */
	int (*run)(struct command_call *c); /* returns the exit status, having said why */
};

#define COMMAND_REGISTER(class)                                                                    \
	static const struct command *const class##_entry                                           \
		__attribute__((used, retain, section("qvm_command"))) = &(class)

/* All verbs in the order of the overview: walk with *state = 0 at first; NULL ends. */
const struct command *command_next(unsigned *state);
/* ERR_USAGE with the nearest name. */
int command_find(const char *name, const struct command **ret, struct err *e);
const char *command_summary(const struct command *c);
/* The options of every verb; ends with a NULL name. */
const struct command_option *command_common(void);
/* The option of that name or letter, n characters, of the verb (NULL = none yet) or of every verb;
 * NULL = none. */
const struct command_option *command_option(const struct command *c, const char *word, size_t n);

/* Read what stands after the verb into c->argument and c->given; the options of every verb
 * (-H, --context, -o, --json, -v, --help) have members of their own. ERR_USAGE. */
int command_parse(struct command_call *c, char *const *word, int n, struct err *e);
/* The last value given; NULL when the option was not given. */
const char *command_value(const struct command_call *c, const char *option);
/* The number of a "-n N" from least to most, `otherwise` when it was not given. ERR_USAGE. */
int command_number(const struct command_call *c, const char *option, long least, long most,
		   long otherwise, long *ret, struct err *e);
/* Columns to print a table in; 0 = as many as it takes: no terminal, or -o wide. */
unsigned command_width(const struct command_call *c);
/* ERR_USAGE when the name can be no VM's. */
int command_check_vm(const char *name, struct err *e);
/* argument[0] when it can be the name of a VM; else NULL, and *ret_status is the exit status. */
const char *command_vm(const struct command_call *c, int *ret_status);

/* The call to the server that a verb makes. When it does not succeed: -1 and *ret_status, having
 * said why. */
int command_ask(struct command_call *c, const struct http_request *q, struct http_response *ret,
		int *ret_status);
/* Say why the server refused: q was asked, r its answer. The exit status. */
int command_refused(struct command_call *c, const struct http_request *q,
		    const struct http_response *r);
/* The same as command_ask() of an object that is to be shown, which the caller owns. NULL: it has been printed as it came,
 * with --json, or why there is none; *ret_status is the exit status. */
json_t *command_read(struct command_call *c, const struct http_request *q, int *ret_status);
