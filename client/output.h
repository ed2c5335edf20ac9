/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - the forms in which a verb may print what it shows: -o FORM of every verb. qvmadm.
 * JSON is what the server sends, so every verb has it; the others say which they have.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum output {
	OUTPUT_TABLE, /* for people; what is printed without -o */
	OUTPUT_WIDE,
	OUTPUT_NAME,
	OUTPUT_JSON,
	OUTPUT_FORMS
};
#define OUTPUT_IN(form) (1U << (form))

struct output_row {
	const char *word, *what;
};

extern const struct output_row output_table[OUTPUT_FORMS];

/* Whether a verb with these forms has that one. */
bool output_has(unsigned forms, enum output form);
/* The word of -o for a verb with these forms; ERR_USAGE lists what there is. */
int output_read(const char *word, const char *verb, unsigned forms, enum output *ret,
		struct err *e);
/* "wide, name or json" */
void output_list(unsigned forms, char *buf, size_t cap);
/* A line for each object of a list: its member of that name, a text or a number. */
void output_names(json_t *list, const char *member);
