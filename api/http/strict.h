/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strict.h - the header section of a request, judged before anything else believes it. qvm-api.
 *
 * What two parsers could read differently is refused: that is how one request hides in another.
 * libmicrohttpd refuses the rest itself (STRICT_FOR_CLIENT).
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct strict_headers {
	bool has_body; /* Content-Length over 0, or chunked */
	bool is_chunked;
	uint64_t length;     /* when it is not chunked */
	bool wants_continue; /* Expect: 100-continue: the client has not sent the body yet */
};

/* ERR_INVALID: answer and close the connection. */
int strict_check(struct MHD_Connection *c, const char *version, struct strict_headers *ret,
		 struct err *e);
