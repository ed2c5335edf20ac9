/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diagnostic.h - a finding (schemas/diagnostic.h) shown to a person or to a program. Worker, when
 * it runs alone.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "schemas/diagnostic.h"

struct json_t;

/*
 * "file:line:column: error: what", the source line with the marked text underlined, and the hint.
 * Colour is the caller's decision (a terminal, NO_COLOR unset).
 */
void diagnostic_print(const struct diagnostic *d, FILE *out, bool colour);
/* The last line after all of them: "2 errors and 1 warning, 3 more not shown"; nothing for 0, 0. */
void diagnostic_print_counts(unsigned n_errors, unsigned n_warnings, unsigned n_shown, FILE *out);
/* An object with the members severity file line column length source what hint; the caller owns
 * the reference. */
struct json_t *diagnostic_json(const struct diagnostic *d);
