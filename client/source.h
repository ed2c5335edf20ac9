/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - a configuration file, as its author wrote it and as it is sent. qvmadm; owned by the
 * command that read it.
 */
#pragma once

#include <jansson.h>

#include "client/paths.h"

struct source {
	const char *name; /* for people: the file as named, "<stdin>" */
	char *text;	  /* terminated */
	size_t bytes;
	struct paths sent;
};

/* Read FILE ("-" is standard input) and make its paths absolute. ERR_USAGE, ERR_CONFIG. */
int source_read(const char *file, struct source *ret, struct err *e);
void source_free(struct source *s);
#define AUTO_SOURCE __attribute__((cleanup(source_free)))

/* {"config": the text as it is sent}; the caller owns it. */
json_t *source_body(const struct source *s);
/* Line n (from 1) as its author wrote it, cleaned for a terminal; NULL beyond the last. The caller
 * frees it. */
char *source_line(const struct source *s, unsigned n);
/* Tell on stderr what was made absolute. */
void source_explain(const struct source *s);
