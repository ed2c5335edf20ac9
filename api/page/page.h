/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - the dashboard's files: part of the program, sent to whoever asks, since they hold nothing
 * of this host. What the page shows it asks of /v1, with the rights of who looks at it. qvm-api.
 *
 * They are no operations of ops.def: a generated client has no use for them, and which there are
 * may change with every version.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct page_asset;
struct pages;
struct request;
struct strict_headers;

struct pages *pages_new(void);
void pages_free(struct pages *p);
/* path is decoded. NULL: it is no file of the dashboard. */
const struct page_asset *page_find(const char *path);
/* May the request have it? Fills r->allow when the answer is only what is allowed, or no. */
int page_admit(struct request *r, const char *method, const struct strict_headers *h,
	       struct err *e);
/* The file, or 304 when the client has it. */
void page_answer(struct request *r);
