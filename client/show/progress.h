/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.h - how far something is, on one line of a terminal that is drawn anew: a bar, the rate, the
 * time that is left. qvmadm; owned by the command that waits. Elsewhere than on a terminal it is silent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *f;
	const char *label;
	uint64_t total, before;	     /* bytes in all, and those that were there at the beginning */
	uint64_t begun_ms, drawn_ms; /* monotonic */
	bool is_shown;
};

enum { PROGRESS_LINE = 1024 };

void progress_begin(struct progress *p, FILE *f, const char *label, uint64_t total,
		    uint64_t before);
/* Draws at most ten times a second. */
void progress_show(struct progress *p, uint64_t done);
/* The line goes away; what is printed next begins where it was. */
void progress_end(struct progress *p);
/* The line: at most `width` columns. Pure. */
const char *progress_line(const struct progress *p, uint64_t done, uint64_t now_ms, unsigned width,
			  bool is_utf8, char ret[static PROGRESS_LINE]);
