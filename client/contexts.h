/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contexts.h - the hosts that a user has given names: $XDG_CONFIG_HOME/qvm/contexts.conf. qvmadm.
 *
 *	current = lab
 *	[lab]
 *	host = https://lab:9443
 *	token-file = /home/me/.config/qvm/lab.token
 *
 * The file is replaced as a whole, under a lock of its folder, so that a reader sees the old or the
 * new one. It is for its owner alone (0600), for it decides who gets a token.
 */
#pragma once

#include "base/err.h"
#include "base/name.h"

enum { CONTEXTS_MOST = 256 };

enum context_field {
	CONTEXT_HOST,
	CONTEXT_TOKEN_FILE,
	CONTEXT_CACERT,
	CONTEXT_CERT,
	CONTEXT_KEY,
	CONTEXT_FIELDS
};

/* Key in the file; with "--" before it the option of `context add`. */
extern const char *const context_key[CONTEXT_FIELDS];

struct context {
	char name[NAME_CAP];
	char *field[CONTEXT_FIELDS]; /* NULL = not set */
};

struct contexts {
	char *path;
	char current[NAME_CAP]; /* "" = none */
	unsigned n;
	struct context list[CONTEXTS_MOST];
	int lock; /* -1 = only read */
};

/* Read the file; one that is not there has none. ERR_INVALID when others may write it, or
 * with the line that is none of ours. The caller frees. */
int contexts_read(struct contexts **ret, struct err *e);
/* The same, to change it: makes the folder, and locks it until contexts_free(). */
int contexts_open(struct contexts **ret, struct err *e);
int contexts_write(const struct contexts *c, struct err *e);
void contexts_free(struct contexts *c);
static inline void contexts_done(struct contexts *const *c)
{
	contexts_free(*c);
}
#define AUTO_CONTEXTS __attribute__((cleanup(contexts_done)))

/* ERR_INVALID names the nearest. */
int contexts_find(struct contexts *c, const char *name, struct context **ret, struct err *e);
/* A new one behind the others, without fields; ERR_LIMIT. */
int contexts_add(struct contexts *c, const char *name, struct context **ret, struct err *e);
void contexts_remove(struct contexts *c, struct context *which);
