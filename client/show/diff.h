/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.h - how one text becomes another, line by line, as diff -u writes it. qvmadm.
 *
 * Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), bounded: texts that have next to
 * nothing in common are told as one whole that goes and one that comes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	DIFF_EDITS =
		2000 /* lines that go and come, beyond which nobody looks for the least number */
};

/* A text by its lines, each with its newline; the last may have none. */
struct diff_text {
	const char *bytes;
	size_t n_lines;
	size_t *begin; /* of each line, and the end of the last */
	bool *changes; /* it goes, or comes */
};

struct diff {
	struct diff_text from, to;
	unsigned n_gone, n_come;
};

/* The texts are borrowed. */
struct diff *diff_new(const char *from, size_t n_from, const char *to, size_t n_to);
struct diff *diff_free(struct diff *d);
static inline void diff_done(struct diff *const *d)
{
	diff_free(*d);
}
#define AUTO_DIFF __attribute__((cleanup(diff_done)))

static inline bool diff_is_empty(const struct diff *d)
{
	return d->n_gone == 0 && d->n_come == 0;
}

/* Both heads and the hunks, coloured on a terminal; nothing when they are the same. What the terminal
 * would act on is left out on one. */
void diff_print(const struct diff *d, FILE *f, const char *from_name, const char *to_name);
