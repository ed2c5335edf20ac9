/* SPDX-License-Identifier: Apache-2.0 */
/* problem.h - an error as application/problem+json (RFC 9457). qvm-api. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

#define PROBLEM_TYPE "application/problem+json"

/* What some errors know beside their text. Zero members are left out. */
struct problem_more {
	const char *pointer; /* to the wrong member of the body */
	const char *hint;    /* in place of the code's */
	const char *allowed; /* "GET, HEAD": what would be permitted */
	json_t *diagnostics; /* borrowed */
	int64_t n_more;	     /* findings that were not kept */
};

/* request 0 = none. */
json_t *problem_make(const struct err *e, uint64_t request, const struct problem_more *m);
/* From the columns of a row: an id of errors.def, the text, "file:line". */
json_t *problem_of_row(const char *error_id, const char *text, const char *origin,
		       const char *request);
