/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/admit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/call.h"
#include "api/http/asker.h"
#include "api/http/auth.h"
#include "api/http/origin.h"
#include "api/http/request.h"
#include "api/http/strict.h"
#include "api/http/target.h"
#include "api/http/tls.h"
#include "api/http/upgrade.h"
#include "api/http/visitor.h"
#include "api/page/page.h"

enum { ID_DIGITS = 16 };

size_t admit_most(enum op_id op)
{
	if (!strcmp(op_table[op].in, "none"))
		return 0;
	return !strcmp(op_table[op].in, "text") ? MESSAGE_INPUT_MAX : BODY_MAX;
}

static int judge_body(struct request *r, const struct strict_headers *h, struct err *e)
{
	const struct op *o = &op_table[r->route.op];
	const char *type =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Content-Type");
	size_t most = admit_most(r->route.op);

	if (!h->has_body)
		return 0;
	if (most == 0)
		return err_set(e, INVALID, "%s %s takes no body; send it without one",
			       op_method_name(o->method), o->path);
	if (h->length > most)
		return err_set(e, TOO_LARGE, "the body has %llu bytes; it may have %zu",
			       (unsigned long long)h->length, most);
	return body_type(r->route.op, type, &r->body_type, e);
}

static int read_header_params(struct request *r, struct err *e)
{
	for (unsigned row = param_first(r->route.op);
	     row < PARAM_COUNT && param_table[row].op == r->route.op; row++) {
		const char *value;

		if (param_table[row].where != PARAM_HEADER)
			continue;
		value = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
						    param_table[row].name);
		if (value && param_read((enum param)row, value, &r->params, e) < 0)
			return -1;
	}
	return 0;
}

/* A client that may have to ask again chooses the id itself. */
static int read_id(struct request *r, struct err *e)
{
	const char *text =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Request-Id");
	uint64_t id;

	if (!text || op_table[r->route.op].kind != OP_KIND_CALL)
		return 0;
	id = strspn(text, "0123456789abcdef") == ID_DIGITS && !text[ID_DIGITS]
		     ? strtoull(text, NULL, 16)
		     : 0;
	if (id == 0)
		return err_set(e, INVALID,
			       "Request-Id is '%.40s'; it must be %d hexadecimal digits, lower "
			       "case, not all 0",
			       text, ID_DIGITS);
	r->id = id;
	return call_is_new(r->api->calls, id, e);
}

static int identify(struct request *r, struct err *e)
{
	const char *token =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Authorization");

	const union MHD_ConnectionInfo *tls =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	struct tls_client of;
	char secret[UPGRADE_TOKEN], bearer[UPGRADE_TOKEN + 8];
	int has_certificate;

	if (auth_caller(&r->api->auth, visitor_fd(r->connection), &r->caller, e) < 0)
		return -1;
	if (!token && r->route.op == OP_vm_attach && upgrade_token(r->connection, secret)) {
		snprintf(bearer, sizeof bearer, "Bearer %s", secret);
		token = bearer;
	}
	if (token)
		return auth_token(r->api->db, token, &r->caller, &r->grant, e);
	if (!tls || !tls->tls_session)
		return 0;
	has_certificate = tls_client(r->api->tls, tls->tls_session, &of, e);
	if (has_certificate <= 0)
		return has_certificate;
	return auth_certificate(r->api->db, &of, &r->caller, &r->grant, e);
}

/* What is open to anyone is open to pages of other sites, too. */
static int judge_origin(const struct request *r, struct err *e)
{
	const struct op *o = &op_table[r->route.op];
	struct origin origin;

	if (o->role == ROLE_ANYONE)
		return 0;
	origin_read(r->connection, &origin);
	return origin_check(&origin, o->kind == OP_KIND_CALL, e);
}

static int judge(struct request *r, const char *method, const struct strict_headers *h,
		 struct err *e)
{
	char path[TARGET_PATH];
	const char *query;

	if (strlen(r->target) >= TARGET_MAX)
		return err_set(e, INVALID, "the request's target is longer than %d bytes",
			       TARGET_MAX - 1);
	if (target_path(r->target, path, &query, e) < 0)
		return -1;
	r->asset = page_find(path);
	if (r->asset)
		return page_admit(r, method, h, e);
	route_allow(path, r->allow);
	if (!strcmp(method, "OPTIONS") && *r->allow)
		return 0;
	r->allow[0] = '\0';
	if (route_find(method, path, &r->route, e) < 0) {
		if (e->code == ERR_METHOD)
			route_allow(path, r->allow);
		return -1;
	}
	r->is_routed = true;
	r->is_head = !strcmp(method, "HEAD");
	param_begin(r->route.op, &r->params);
	if (judge_origin(r, e) < 0 || identify(r, e) < 0 || asker_count(r, true, e) < 0 ||
	    auth_check(&r->caller, r->grant.scope, r->route.op, r->route.param, e) < 0 ||
	    read_id(r, e) < 0 || param_read_query(r->route.op, query, &r->params, e) < 0 ||
	    read_header_params(r, e) < 0 || param_check(r->route.op, &r->params, e) < 0)
		return -1;
	return judge_body(r, h, e);
}

int admit_request(struct request *r, const char *method, const struct strict_headers *h,
		  struct err *e)
{
	int result = judge(r, method, h, e);

	/* What was answered before it was known who asks. */
	if (r->is_counted || asker_count(r, false, e) == 0)
		return result;
	r->allow[0] = '\0';
	return -1;
}
