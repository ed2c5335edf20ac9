/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - one error object, from the failing system call to the person. Every process.
 *
 * Fixed size and pointer-free: a worker sends it whole, so the file:line inside the worker reaches
 * the REST caller. Functions return 0 or -1 and fill *e; *e is untouched on success.
 * The text says what was tried, on what (in quotes), why not, and what to do.
 * Codes, HTTP status, exit status and hint: schemas/errors.def.
 */
#pragma once

#include <errno.h>
#include <stdint.h>

enum err_code {
	ERR_OK,
#define ERR(sym, id, http, exit, hint) ERR_##sym,
#include "schemas/errors.def"
#undef ERR
	ERR_COUNT
};

enum { ERR_FRAMES = 6, ERR_MSG = 320, ERR_WHERE = 48, ERR_NOTE = 112 };

struct err {
	uint32_t code; /* enum err_code; may come from another process: err_sane() first */
	int32_t os_errno;
	char msg[ERR_MSG]; /* the sentence the caller reads */
	uint32_t
		n_frames; /* frame[0] is the origin; its note is the hint of err_advise(), "" = none */
	struct err_frame {
		char where[ERR_WHERE]; /* "vmm/boot/elf.c:41" */
		char note[ERR_NOTE];
	} frame[ERR_FRAMES];
};
_Static_assert(sizeof(struct err) == 4 + 4 + ERR_MSG + 4 + ERR_FRAMES * (ERR_WHERE + ERR_NOTE),
	       "struct err crosses process boundaries: no padding");

/* Record a new error, forgetting what *e held. Returns -1, so callers can return it. */
int err_set_at(struct err *e, enum err_code code, int os_errno, const char *file, int line,
	       const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Add a frame: what the caller was doing. The innermost frames are kept. Returns -1. */
int err_wrap_at(struct err *e, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What to do next about this very error, where the hint of its code is too general. Returns -1. */
int err_advise(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What to do next: of err_advise(), else of its code. */
const char *err_advice(const struct err *e);
/* Make an error from another process safe to read: bounds the code and terminates strings. */
void err_sane(struct err *e);

int err_http(enum err_code c);
int err_exit(enum err_code c);
const char *err_id(enum err_code c);   /* "not-found": stable, in URLs and logs */
const char *err_hint(enum err_code c); /* what to do next about any of that code */

#define err_set(e, c, ...) err_set_at((e), ERR_##c, 0, __FILE__, __LINE__, __VA_ARGS__)
#define err_sys(e, c, ...) err_set_at((e), ERR_##c, errno, __FILE__, __LINE__, __VA_ARGS__)
#define err_wrap(e, ...)   err_wrap_at((e), __FILE__, __LINE__, __VA_ARGS__)
