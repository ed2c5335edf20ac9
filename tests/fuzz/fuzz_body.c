/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What any client may send: byte 0 picks the operation and the kind of body; the rest is a body, a
 * target, a query and a header value.
 */
#include <stdlib.h>
#include <string.h>

#include "api/http/body.h"
#include "api/http/match.h"
#include "api/http/param.h"
#include "api/http/route.h"
#include "api/http/target.h"
#include "base/auto.h"
#include "schemas/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_body(enum op_id op, enum body_type type, const char *bytes, size_t n)
{
	struct body b;
	struct err e = {0};

	if (body_parse(op, type, bytes, n, &b, &e) < 0) {
		if (b.config || (e.code != ERR_INVALID && e.code != ERR_TOO_LARGE) ||
		    strlen(b.pointer) >= sizeof b.pointer)
			__builtin_trap();
		return;
	}
	if (b.policy_fields && policy_check(&b.policy, &e) < 0)
		__builtin_trap();
	if (op == OP_vm_patch)
		return; /* it has no more */
	if (!b.config || b.config_bytes > MESSAGE_CONFIG_MAX || strlen(b.config) != b.config_bytes)
		__builtin_trap();
	body_free(&b);
}

static void fuzz_target(enum op_id op, const char *text)
{
	char path[TARGET_PATH], allow[ROUTE_ALLOW];
	struct param_set p;
	struct route r;
	struct err e;
	const char *query;
	enum body_type type;
	int64_t revision;

	param_begin(op, &p);
	param_read_query(op, text, &p, &e);
	match_read(text, &revision, &e);
	body_type(op, text, &type, &e);
	if (target_path(text, path, &query, &e) < 0)
		return;
	route_allow(path, allow);
	if (route_find("GET", path, &r, &e) == 0 && !*allow)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_FREE char *text = NULL;

	if (n == 0)
		return 0;
	text = malloc(n);
	if (!text)
		return 0;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	fuzz_body(data[0] & 1 ? OP_vm_put : OP_check, data[0] & 2 ? BODY_TEXT : BODY_JSON, text,
		  n - 1);
	fuzz_body(OP_vm_patch, BODY_PATCH, text, n - 1);
	fuzz_target((enum op_id)((data[0] >> 2) % OP_COUNT), text);
	return 0;
}
