/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - a configuration file and the folder that its relative paths belong to. qvmadm; owned by
 * the command that read it.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "schemas/message.h"

struct command_call;
struct http_response;

struct source {
	const char *name; /* for people: the file as named, "<stdin>" */
	char *text;	  /* terminated */
	size_t bytes;
	char folder[MESSAGE_PATH];
};

/* Read FILE; "-" is standard input, its folder the present one. ERR_RESOURCE, ERR_USAGE, ERR_CONFIG. */
int source_read(const char *file, struct source *ret, struct err *e);
void source_free(struct source *s);
#define AUTO_SOURCE __attribute__((cleanup(source_free)))

/* {"config": text, "folder": folder}; the caller owns it. */
json_t *source_body(const struct source *s);
/* The server's answer to OP_check of it. -1 and *ret_status, having said why. */
int source_check(struct command_call *c, const struct source *s, struct http_response *ret,
		 int *ret_status);
/* Line n (from 1) as its author wrote it, cleaned for a terminal; NULL beyond the last. The caller
 * frees it. */
char *source_line(const struct source *s, unsigned n);
