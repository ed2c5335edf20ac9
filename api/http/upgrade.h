/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upgrade.h - the handshake of a WebSocket (RFC 6455, section 4.2). qvm-api.
 *
 * A browser can set no header of it: so a token may come as a subprotocol, `qvm.token.SECRET` beside
 * `qvm.console.v1`, and never as a part of the URL, which is logged. Whose page it is has been judged
 * by origin.h.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

#include "base/err.h"

#define UPGRADE_PROTOCOL "qvm.console.v1"
#define UPGRADE_VERSION	 "13"

enum { UPGRADE_ACCEPT = 29, UPGRADE_TOKEN = 128 };

/* ERR_INVALID: it is no such handshake. ret_accept: for
 * Sec-WebSocket-Accept. *ret_is_named: the client asks for UPGRADE_PROTOCOL by name. */
int upgrade_judge(struct MHD_Connection *c, char ret_accept[static UPGRADE_ACCEPT],
		  bool *ret_is_named, struct err *e);
/* The secret among the subprotocols; false = there is none. */
bool upgrade_token(struct MHD_Connection *c, char ret[static UPGRADE_TOKEN]);
/* The pure part. */
void upgrade_accept(const char *key, char ret[static UPGRADE_ACCEPT]);
