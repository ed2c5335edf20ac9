/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker.h - whom a request counts for, and whether he may send one more now. qvm-api.
 *
 * The name of a token or certificate, else the uid of the unix socket. Who has not proved who he is
 * counts by where he asks from: an IPv4 address, the /64 of an IPv6 one, a uid. Those have a table of
 * their own, so guesses at tokens take nothing of the tokens, nor places from them.
 *
 * Root and the supervisor's own user are not limited on the unix socket without a token, as in lobby.h:
 * they end whoever floods the API.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "api/http/quota.h"
#include "base/err.h"

struct request;

/* Once a request. is_known: r->caller has been proved. ERR_LIMIT; r->retry_after_s is set then. */
int asker_count(struct request *r, bool is_known, struct err *e);
/* The name that it counts by; false: root or the supervisor's own user, without a token. */
bool asker_name(const struct request *r, bool is_known, char ret[static QUOTA_WHO]);
/* The pure part: the name of an address. */
void asker_of_address(const struct sockaddr *a, char ret[static QUOTA_WHO]);
