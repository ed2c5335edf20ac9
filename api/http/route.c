/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/str.h"

const char *route_allow(const char *path, char ret[static ROUTE_ALLOW])
{
	char param[OP_PARAMS][OP_PARAM];
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < OP_COUNT; i++) {
		enum op_method m = op_table[i].method;

		if (!op_path_matches(op_table[i].path, path, param))
			continue;
		str_add(ret, ROUTE_ALLOW, &n, "%s%s%s", n ? ", " : "", op_method_name(m),
			m == OP_GET ? ", HEAD" : "");
	}
	if (n)
		str_add(ret, ROUTE_ALLOW, &n, ", OPTIONS");
	return ret;
}

/* The pattern with the segments of `path` in the places of its parameters: what may be meant. */
static void fill(const char *pattern, const char *path, char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = '\0';
	while (*pattern) {
		size_t at_pattern = strcspn(pattern + 1, "/") + 1;
		size_t at_path = *path ? strcspn(path + 1, "/") + 1 : 0;
		bool is_taken = pattern[1] == '{' && at_path > 1;

		str_add(ret, cap, &n, "%.*s", (int)(is_taken ? at_path : at_pattern),
			is_taken ? path : pattern);
		pattern += at_pattern;
		path += at_path;
	}
}

static int no_such_path(const char *path, struct err *e)
{
	char candidate[OP_PARAM], near[OP_PARAM] = "";
	unsigned least = 4;

	for (unsigned i = 0; i < OP_COUNT; i++) {
		unsigned distance;

		fill(op_table[i].path, path, candidate, sizeof candidate);
		distance = str_distance(path, candidate);
		if (distance >= least)
			continue;
		least = distance;
		str_copy(near, sizeof near, candidate);
	}
	if (*near)
		err_set(e, NOT_FOUND, "there is no path '%.96s'; did you mean '%.96s'?", path,
			near);
	else
		err_set(e, NOT_FOUND, "there is no path '%.128s'; all begin with /v1/", path);
	return err_advise(e, "GET /v1/openapi.json tells all paths");
}

static int read_number(const char *text, const char *of, int64_t *ret, struct err *e)
{
	long long id;
	char *end;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || id < 1)
		return err_set(e, INVALID, "'%.64s' is no number of %s; it counts from 1", text,
			       of);
	*ret = id;
	return 0;
}

/* Also proof against any path: it has no slash, and begins with the VM's name. */
static int read_dump(const char *text, struct route *r, struct err *e)
{
	if (dumpfile_is_of(text, r->param) && str_copy(r->dump, sizeof r->dump, text))
		return 0;
	return err_set(e, INVALID,
		       "'%.80s' is no name of a dump of '%s', such as %s-20261123-120000.gcore; "
		       "GET /v1/vms/%s/dumps lists them",
		       text, r->param, r->param, r->param);
}

static int check_params(struct route *r, const char *second, struct err *e)
{
	const char *path = op_table[r->op].path;

	if (strstr(path, "{id}"))
		return read_number(r->param, "an operation", &r->id, e);
	if (strchr(path, '{') && !name_is_valid(r->param))
		return err_set(e, INVALID, "'%.80s' is no name of a %s; it must match %s", r->param,
			       strstr(path, "{vm}") ? "VM" : "token", NAME_PATTERN);
	if (strstr(path, "{dump}"))
		return read_dump(second, r, e);
	return strstr(path, "{n}") ? read_number(second, "a revision", &r->revision, e) : 0;
}

int route_find(const char *method, const char *path, struct route *ret, struct err *e)
{
	const char *wanted = !strcmp(method, "HEAD") ? "GET" : method;
	char allow[ROUTE_ALLOW], param[OP_PARAMS][OP_PARAM];
	struct route r = {0};

	for (unsigned i = 0; i < OP_COUNT; i++) {
		if (!op_path_matches(op_table[i].path, path, param) ||
		    strcmp(wanted, op_method_name(op_table[i].method)) != 0)
			continue;
		r.op = (enum op_id)i;
		memcpy(r.param, param[0], sizeof r.param);
		if (check_params(&r, param[1], e) < 0)
			return -1;
		*ret = r;
		return 0;
	}
	if (*route_allow(path, allow))
		return err_set(e, METHOD, "'%.128s' has no method '%.16s'; it has %s", path, method,
			       allow);
	return no_such_path(path, e);
}
