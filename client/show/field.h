/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h - the members of the server's JSON. qvmadm.
 *
 * Every text passes the escape filter once, when it is parsed: what a guest or worker chose cannot
 * paint the terminal through any of the getters. Getters take absent or mistyped members as empty,
 * so that an older or newer server still reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

static inline void field_done(json_t *const *j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(field_done)))

/* Parse one document; ERR_NO_SERVER when it is no JSON. Only the members `console`, `log` and
 * `config` keep their newlines; all other texts are one line. The caller owns *ret. */
int field_parse(const char *text, size_t n, json_t **ret, struct err *e);

const char *field_text(const json_t *o, const char *name); /* "" when absent */
/* "-" when absent or empty. */
const char *field_word(const json_t *o, const char *name);
int64_t field_number(const json_t *o, const char *name, int64_t otherwise);
bool field_true(const json_t *o, const char *name);
/* An address, sent as a number or as "0x..." text; 0 when absent. */
uint64_t field_address(const json_t *o, const char *name);
/* The elements of an array member: NULL-safe with json_array_foreach. */
json_t *field_list(const json_t *o, const char *name);
/* Print a document as it came; on a terminal indented and filtered. */
void field_print(const char *text, size_t n);
/* The same of a document that is not the server's, or not all of it. */
void field_print_object(const json_t *o);
