/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - a configuration is read by a worker in its full sandbox, its plan is judged, and
 * nothing is started. Supervisor; part of struct daemon.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/diagnostic.h"
#include "schemas/message.h"

struct call;
struct daemon;
struct check;

enum { CHECK_MOST = 8 }; /* at once */

struct check_set {
	struct check *slot[CHECK_MOST];
};

struct check_result {
	struct err err; /* code ERR_OK: the configuration is sound and the host has what it wants */
	const struct diagnostic *finding;
	uint32_t n_findings, n_findings_more;
	const struct msg_want *want;
	uint32_t n_wants;
	struct msg_plan plan;
};

typedef void check_fn(struct call *take, const struct check_result *r);

/* Check the call's text; done is called once, now or later, and takes the call. */
void check_begin(struct call *take, check_fn *done);
/* Parts of the answer to come. */
void check_send_findings(const struct call *c, const struct check_result *r);
void check_send_wants(const struct call *c, const struct check_result *r);
/* The supervisor ends: fence all; true when none is left. */
bool check_end_all(struct daemon *d);
