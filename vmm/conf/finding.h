/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.h - what conf has to say about a configuration, and where in it. Worker; owned by one
 * conf_read().
 *
 * Findings are collected while the configuration is read and cross-checked, then reported in order
 * of position. At most DIAGNOSTIC_MOST are kept, all are counted.
 */
#pragma once

#include <stddef.h>

#include "schemas/diagnostic.h"
#include "vmm/conf/conf.h"

/* One part of the configuration as it is shown: a file's text, or the words of a command line
 * joined to one line. */
struct page {
	const char *name;
	const char *text;
	size_t bytes;
};

/* A piece of a page. Columns are characters, from 1. */
struct mark {
	unsigned part; /* index of the page */
	unsigned line; /* from 1; 0 = none: about the whole */
	unsigned column, length;
	size_t line_at; /* offset of the line's first byte */
	unsigned order; /* index of the token: what stands earlier is smaller */
};

struct findings {
	const struct page *page; /* borrowed */
	unsigned n_pages;
	struct finding *kept; /* DIAGNOSTIC_MOST, and one that is thrown away */
	unsigned n_kept;
	unsigned n_errors, n_warnings;
};

void finding_open(struct findings *f, const struct page *page, unsigned n_pages);
void finding_close(struct findings *f);
/* Add one; `at` NULL = about the whole. Returns it for finding_hint(). */
struct diagnostic *finding_add(struct findings *f, enum diagnostic_severity severity,
			       const struct mark *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What to do about it. */
void finding_hint(struct diagnostic *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Call report for each kept finding in order of position. */
void finding_report(struct findings *f, conf_report *report, void *arg);
/* After finding_report(): the first that is an error; NULL if none was kept. */
const struct diagnostic *finding_first_error(const struct findings *f);

/* "line 4", or "guest.qvmconf:4" when that is not the file of `from`; for texts that name both. A
 * mark without line is a part that every board has. */
enum { FINDING_WHERE = 160 };
const char *finding_where(const struct findings *f, const struct mark *at, const struct mark *from,
			  char ret[static FINDING_WHERE]);

#define finding_error(f, at, ...) finding_add((f), DIAGNOSTIC_ERROR, (at), __VA_ARGS__)
#define finding_warn(f, at, ...)  finding_add((f), DIAGNOSTIC_WARNING, (at), __VA_ARGS__)
