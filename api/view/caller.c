/* SPDX-License-Identifier: Apache-2.0 */
/* caller.c - who asks, as admit.c has found it. qvm-api. */
#include "api/api.h"
#include "api/http/request.h"
#include "api/view/object.h"
#include "api/view/view.h"

static const char *kind_of(const struct request *r)
{
	if (!r->caller.identity[0])
		return "uid";
	return r->grant.is_certificate ? "certificate" : "bearer";
}

/* The first end of what lets it in; 0 = none. */
static int64_t ends_ms(const struct auth_grant *g)
{
	int64_t token = g->expires_ms, certificate = g->certificate_ends_ms;

	return token && (!certificate || token < certificate) ? token : certificate;
}

int view_whoami(struct request *r, struct err *e)
{
	const struct msg_caller *c = &r->caller;
	json_t *o = object_new();

	(void)e;
	object_word(o, FIELD_caller_kind, kind_of(r));
	object_text(o, FIELD_caller_name, c->identity);
	if (c->uid != (uint32_t)-1)
		object_int(o, FIELD_caller_uid, c->uid);
	object_word(o, FIELD_caller_role, role_id(c->role));
	object_text(o, FIELD_caller_vms, r->grant.scope);
	object_time(o, FIELD_caller_expires, ends_ms(&r->grant));
	request_answer_json(r, 200, o);
	return 0;
}
