/* SPDX-License-Identifier: Apache-2.0 */
#include "client/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/command.h"
#include "client/setting.h"
#include "client/show/field.h"
#include "client/show/problem.h"

static int parse(const struct http_response *r, struct version *ret, struct err *e)
{
	AUTO_JSON json_t *o = json_loadb(r->body, r->body_bytes, JSON_ALLOW_NUL, NULL);
	const char *text = field_text(o, "config");
	struct version v = {.revision = field_number(o, "revision", 0),
			    .running = field_number(o, "running_revision", 0)};

	if (!v.revision || !json_is_object(json_object_get(o, "policy")))
		return err_set(e, NO_SERVER,
			       "the server's answer is no VM; is it a qvmd that listens there?");
	str_copy(v.folder, sizeof v.folder, field_text(o, "folder"));
	v.fields = json_incref(json_object_get(o, "policy"));
	v.policy = setting_print(v.fields);
	v.bytes = strlen(text);
	v.config = strdup(text);
	if (!v.config)
		abort();
	*ret = v;
	return 0;
}

static int ask(struct command_call *c, const struct http_request *q, bool may_be_absent,
	       struct version *ret, int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	struct err e;

	*ret = (struct version){0};
	if (http_call(c->http, q, &r, &e) < 0) {
		*ret_status = problem_local(&e, c->as_json);
		return -1;
	}
	if (r.status == 404 && may_be_absent)
		return 0;
	if (!http_is_success(&r)) {
		*ret_status = command_refused(c, q, &r);
		return -1;
	}
	if (parse(&r, ret, &e) == 0)
		return 0;
	*ret_status = problem_local(&e, c->as_json);
	return -1;
}

int version_read(struct command_call *c, const char *vm, int64_t revision, struct version *ret,
		 int *ret_status)
{
	char number[24];
	struct http_request q = {.op = OP_vm_show, .param = vm};

	if (revision != VERSION_NEWEST) {
		snprintf(number, sizeof number, "%" PRId64, revision);
		q.op = OP_revision_show;
		q.second = number;
	}
	return ask(c, &q, false, ret, ret_status);
}

int version_find(struct command_call *c, const char *vm, struct version *ret, int *ret_status)
{
	return ask(c, &(struct http_request){.op = OP_vm_show, .param = vm}, true, ret, ret_status);
}

void version_free(struct version *v)
{
	free(v->config);
	free(v->policy);
	json_decref(v->fields);
	*v = (struct version){0};
}
