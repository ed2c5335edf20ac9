/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - where bytes that a guest or worker chose go as they come: to a terminal only what cannot
 * harm it, to a pipe or file the very bytes. qvmadm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client/show/escape.h"

struct screen {
	bool is_tty, is_attached; /* attached: somebody types, and edits lines */
	size_t n_shown;		  /* bytes that came */
	struct escape escape;
};

struct screen screen_open(void);
/* An http_sink; arg is a struct screen. */
bool screen_show(void *arg, const char *bytes, size_t n);
/* Leaves no colour behind. */
void screen_close(struct screen *s);
