/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option.h - the rows of schemas/qvmconf.def as data. Worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct parse;
struct token;

enum option_context {
	OPTION_NONE,
	OPTION_GLOBAL,
	OPTION_RESERVE,
	OPTION_CPU,
	OPTION_VDEV,
	OPTION_PASS,
};

enum option_args { OPTION_ARGS_NONE, OPTION_ARGS_FREE, OPTION_ARGS_STRICT, OPTION_ARGS_PAIR };

/* t[0] is the option's own word, t[1] and t[2] are its arguments. Reports its findings itself. */
typedef void option_setter(struct parse *p, const struct token *t);

struct option {
	const char *name, *form, *what;
	const char *mend;   /* not in this release: what to do instead; NULL = it is */
	option_setter *set; /* NULL with a mend */
	enum option_context context, opens;
	enum option_args args;
};

enum variable_type { VARIABLE_ADDRESS, VARIABLE_BOOLEAN, VARIABLE_NUMBER, VARIABLE_STRING };

/* t[2] is the value; `number` is it, parsed, for all types but STRING (a boolean is 0 or 1). */
typedef void variable_setter(struct parse *p, const struct token *t, uint64_t number);

struct variable {
	const char *name, *what, *mend;
	variable_setter *set;
	enum variable_type type;
};

struct vdev_later {
	const char *name, *mend;
};

#define OPTION(id, name, context, opens, args, form, what) option_setter option_##id;
#define VARIABLE(id, name, type, what)			   variable_setter variable_##id;
#include "schemas/qvmconf.def"

/* Tables; an empty row (name NULL) ends each. */
extern const struct option option_table[];
extern const struct variable variable_table[];
extern const struct vdev_later vdev_later_table[];

/* The option of that name in exactly that context, or NULL. */
const struct option *option_find(const char *name, enum option_context context);
/* The first option of that name in any context. */
const struct option *option_find_any(const char *name);
unsigned option_n_args(const struct option *o);
/* "ram [ADDRESS,]LENGTH", for hints. */
const char *option_usage(const struct option *o, char ret[static 120]);
/* "vdev"; "" for the outermost. */
const char *option_context_name(enum option_context context);
const char *variable_type_form(enum variable_type type); /* "on|off" */

struct option_example {
	const char *topic, *text;
};
extern const struct option_example option_example_table[]; /* ends with an empty row */

/* qvmconf(5), for man(1). */
void option_man(FILE *out);
/* Words for completion, one a line: the global options (n 0), those behind `cpu`, `reserve`, `pass`,
 * what may follow `vdev` and `set`, and with n 2 the options of `vdev NAME`. */
void option_words(const char *const *topic, int n, FILE *out);
/* The whole language on a page (topic NULL), or one option, variable or vdev: -1 = no such thing. */
int option_help(const char *topic, FILE *out);
/* The nearest name that there is help for; NULL = none is near. */
const char *option_help_near(const char *topic);
