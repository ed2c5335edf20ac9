/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - bounded strings: the few operations that every process repeats. Every process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy with truncation; always terminates. Returns false if src did not fit. */
bool str_copy(char *dst, size_t cap, const char *src);
/* Append printf text at *len of a buffer of cap bytes, truncating; keeps *len < cap. */
void str_add(char *buf, size_t cap, size_t *len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* True if a fixed field from a hostile peer is NUL-terminated within cap. */
bool str_is_terminated(const char *s, size_t cap);
/* Smallest number of edits between a and b, for "did you mean": a letter too much, missing, another,
 * or two changed about. At most 64 letters are compared. */
unsigned str_distance(const char *a, const char *b);
/*
 * "Did you mean": of the candidates that were tried, the first of those with the fewest edits. It is
 * near while these are at most a third of the word's letters, or one. All words are borrowed.
 */
struct str_near {
	const char *word, *near; /* near: NULL = none is */
	unsigned least;		 /* edits that are too many */
};

struct str_near str_near(const char *word);
/* The edits between the word and the candidate; 0 = it is the word itself. */
unsigned str_try(struct str_near *n, const char *candidate);
/* Replace every byte that is not printable ASCII, tab or newline by '?', in place. */
void str_printable(char *s, size_t n);
/* A number with a unit for people: 65536 -> "64K", exact multiples only; else "65537 B"; "0". */
const char *str_bytes(uint64_t n, char ret[static 24]);
