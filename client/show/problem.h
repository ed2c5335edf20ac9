/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem.h - what went wrong, for people and scripts. qvmadm.
 *
 * The server refuses with RFC 9457 documents whose type ends in an id of schemas/errors.def; what
 * goes wrong on this side takes the same form. All return the exit status of that table.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"

struct http_response;
struct source;

/* The verb that was typed, for hints. */
void problem_verb(const char *name);
/* What went wrong here. */
int problem_local(const struct err *e, bool as_json);
/* The same with a hint of its own; "" = none. */
int problem_local_with(const struct err *e, const char *hint, bool as_json);
/* A refusal by the server. `source` is the configuration it was about; NULL = none. */
int problem_answer(const struct http_response *r, const struct source *source, bool as_json);
/* A problem inside another document: the error of an operation. */
int problem_print(const json_t *problem, long status, const struct source *source);
/* One more line below what has been said: "hint: TEXT". Nothing for an empty text. */
void problem_line(const char *label, const char *text);
/* The code of "urn:qvm:error:ID"; when unknown, the first with that HTTP status, else INTERNAL. */
enum err_code problem_code(const char *type, long status);
