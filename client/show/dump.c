/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/dump.h"

#include <string.h>

#include "client/show/field.h"
#include "client/show/problem.h"

static bool is_meant(const json_t *dump, const char *name)
{
	if (!strcmp(name, "newest"))
		return !strcmp(field_text(dump, "state"), "whole");
	return !strcmp(field_text(dump, "name"), name);
}

json_t *dump_find(struct command_call *c, const char *vm, const char *name, int *ret_status)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_JSON json_t *all = NULL;
	struct err e;
	json_t *dump;
	size_t i;

	if (command_ask(c, &(struct http_request){.op = OP_dump_list, .param = vm}, &r,
			ret_status) < 0)
		return NULL;
	if (field_parse(r.body, r.body_bytes, &all, &e) < 0) {
		*ret_status = problem_local(&e, c->as_json);
		return NULL;
	}
	json_array_foreach (field_list(all, "dumps"), i, dump)
		if (is_meant(dump, name))
			return json_incref(dump);
	err_set(&e, NOT_FOUND, "there is no dump '%s' of '%s'", name, vm);
	err_advise(&e, "qvmadm dumps %s shows those that there are", vm);
	*ret_status = problem_local(&e, c->as_json);
	return NULL;
}
