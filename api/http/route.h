/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - from method and path to a row of ops.def. Pure. qvm-api. */
#pragma once

#include "base/dumpfile.h"
#include "base/err.h"
#include "schemas/op.h"

enum { ROUTE_ALLOW = 64 };

struct route {
	enum op_id op;
	char param[OP_PARAM];	  /* the {vm}, {token} or {id}, checked; "" when there is none */
	char dump[DUMPFILE_NAME]; /* the {dump}, checked */
	int64_t id;		  /* the {id} as a number */
	int64_t revision;	  /* the {n} as a number */
};

/*
 * path is decoded. HEAD finds the row of GET. ERR_NOT_FOUND names the path and the nearest one;
 * ERR_METHOD: route_allow() has the methods; ERR_INVALID: the path is known, its {vm} is no name.
 */
int route_find(const char *method, const char *path, struct route *ret, struct err *e);
/* "GET, HEAD, PUT, OPTIONS"; "" when no row has the path. */
const char *route_allow(const char *path, char ret[static ROUTE_ALLOW]);
