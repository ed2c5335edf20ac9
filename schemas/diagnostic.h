/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diagnostic.h - one finding about a configuration, as the worker sends it and the API shows it.
 * Printed as "file:line:column: error: what; why; what to do", the source line, a caret.
 */
#pragma once

#include <stdint.h>

enum diagnostic_severity { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING, DIAGNOSTIC_NOTE };

enum { DIAGNOSTIC_MOST = 64 }; /* kept per check; how many more there were is counted */

struct diagnostic {
	uint32_t severity;     /* enum diagnostic_severity */
	uint32_t line, column; /* from 1; 0 = about the whole */
	uint32_t length;       /* of the marked text, in columns; at least 1 */
	char file[128];	  /* as named; "<config>" for text from the API, "<arguments>" for argv */
	char source[256]; /* the line, tabs kept, cut */
	char what[240];
	char hint[240]; /* what to do; may be "" */
};
_Static_assert(sizeof(struct diagnostic) == 16 + 128 + 256 + 240 + 240, "crosses processes");

/* "error", "warning", "note"; safe for any value. */
const char *diagnostic_severity_id(uint32_t severity);
/* A diagnostic from another process: terminated strings, bounded numbers, printable text. */
void diagnostic_sane(struct diagnostic *d);
