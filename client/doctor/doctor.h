/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - what is looked at to tell whether a host is fit for VMs, and what each look found. qvmadm.
 * The table is checks.def. A check reads; it changes nothing, and needs no server unless its row says so.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum doctor_result {
	DOCTOR_OK,
	DOCTOR_NOTE,
	DOCTOR_UNKNOWN,
	DOCTOR_WARNING,
	DOCTOR_ERROR,
	DOCTOR_RESULTS
};

enum { DOCTOR_TEXT = 512, DOCTOR_FILE = 4096 };

/* Who is looked at. */
struct patient {
	const char *root; /* where the machine's files are; "" = where they always are */
	int64_t now_ms;	  /* wall */
	/* What the server said; NULL where it did not. */
	json_t *health, *host, *vms, *tokens;
	const char *why_no_server; /* why it has not been reached */
	bool is_denied;		   /* the tokens: this caller is no admin */
};

struct finding {
	enum doctor_result result; /* UNKNOWN until it is said */
	char text[DOCTOR_TEXT], mend[DOCTOR_TEXT];
};

struct doctor_check {
	const char *id, *what;
	bool is_local;
	void (*look)(const struct patient *p, struct finding *f);
};

/* All of them; NULL behind the last. */
const struct doctor_check *doctor_next(unsigned i);
const char *doctor_result_id(enum doctor_result r);

/* For the checks. */
void doctor_say(struct finding *f, enum doctor_result r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_mend(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The path below the root; the buffer. */
const char *doctor_path(const struct patient *p, const char *path, char ret[static DOCTOR_FILE]);
/* The beginning of a file, without the last newline; false when it cannot be read. */
bool doctor_read(const struct patient *p, const char *path, char ret[static DOCTOR_FILE]);
bool doctor_is_there(const struct patient *p, const char *path);
/* The number after "NAME" at the beginning of a line, -1 where there is none. */
int64_t doctor_line(const char *text, const char *name);

#define CHECK(id, where, what) void check_##id(const struct patient *p, struct finding *f);
#include "client/doctor/checks.def"
#undef CHECK
