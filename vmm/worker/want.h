/* SPDX-License-Identifier: Apache-2.0 */
/*
 * want.h - the host resources that a board needs: what a supervised worker asks for, and what a lone
 * one opens itself. Worker; part of struct life.
 *
 * Always first: /dev/kvm, the RAM memfd, the black box; then the images and the vdevs' host files in
 * the order of the configuration.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct board;

struct want {
	uint32_t kind;	    /* enum want_kind of schemas/message.h */
	uint64_t bytes;	    /* of WANT_RAM */
	uint32_t delayed_s; /* a lone worker tries so long; UINT32_MAX = for ever */
	unsigned line;	    /* of the configuration; 0 = always needed */
	char option[32];    /* who asks: "load", "vdev ser8250" */
	const char *path;   /* "" when the kind has none */
	int *fd;	    /* where the granted fd goes; it is -1 until then */
};

struct want_list {
	struct want *want;
	unsigned n;
	int kvm_fd, ram_fd, box_fd; /* owned here; the other fds belong to the board */
};

/*
 * Collect them; ERR_CONFIG beyond MESSAGE_WANTS_MAX. The console ("-") is no host resource under the
 * supervisor, where it is the black box's ring and INPUT. The list points into itself and the board:
 * neither may move.
 */
int want_collect(struct board *b, bool is_supervised, struct want_list *ret, struct err *e);
/* The first that has no fd yet, or NULL. */
const struct want *want_missing(const struct want_list *l);
void want_free(struct want_list *l);
