/* SPDX-License-Identifier: Apache-2.0 */
/* topic.h - what concerns every verb: `qvmadm help TOPIC`, and sections of qvmadm(1). qvmadm. */
#pragma once

#include <stdio.h>

struct topic {
	const char *name, *summary;
	const char *text; /* paragraphs; NULL = none */
	void (*print)(FILE *f, void (*row)(FILE *f, const char *term, const char *what));
};

/* Ends with a NULL name. */
extern const struct topic topic_table[];
/* NULL = none of that name. */
const struct topic *topic_find(const char *name);
/* The first that begins so, or has nearly that name; NULL = none. */
const struct topic *topic_near(const char *name);
