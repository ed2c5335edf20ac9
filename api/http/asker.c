/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/asker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/http/request.h"
#include "api/http/visitor.h"
#include "base/clock.h"

void asker_of_address(const struct sockaddr *a, char ret[static QUOTA_WHO])
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr six;

	if (a->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text, sizeof text);
		snprintf(ret, QUOTA_WHO, "%s", text);
		return;
	}
	six = ((const struct sockaddr_in6 *)a)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof text);
		snprintf(ret, QUOTA_WHO, "%s", text);
		return;
	}
	/* One host has all of these. */
	memset(&six.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &six, text, sizeof text);
	snprintf(ret, QUOTA_WHO, "%s/64", text);
}

bool asker_name(const struct request *r, bool is_known, char ret[static QUOTA_WHO])
{
	const struct visitor *v = visitor_of(r->connection);
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (is_known && r->caller.identity[0])
		snprintf(ret, QUOTA_WHO, "'%s'", r->caller.identity);
	else if (v->standing == VISITOR_FREE)
		return false;
	else if (v->standing == VISITOR_REMOTE && i)
		asker_of_address(i->client_addr, ret);
	else
		snprintf(ret, QUOTA_WHO, "uid %u", (unsigned)v->uid);
	return true;
}

static bool ends_a_vm(const struct request *r)
{
	return r->is_routed && (r->route.op == OP_vm_stop || r->route.op == OP_vm_kill);
}

int asker_count(struct request *r, bool is_known, struct err *e)
{
	struct api *api = r->api;
	bool ends = is_known && ends_a_vm(r), has_proof = is_known && r->caller.role > ROLE_ANYONE;
	char who[QUOTA_WHO];

	r->is_counted = true;
	if (!asker_name(r, is_known, who))
		return 0;
	r->retry_after_s = quotas_take(has_proof ? api->known : api->strangers, who,
				       ends ? QUOTA_ENDS : QUOTA_COMMON, clock_mono_ms());
	if (r->retry_after_s == 0)
		return 0;
	if (has_proof)
		api->tally.n_over_identity++;
	else
		api->tally.n_over_peer++;
	return err_set(
		e, LIMIT,
		"%s may send requests at %u a second, and %u at once%s; the next one in %u s "
		"(requests-per-second and request-burst of qvmd.conf)",
		who, api->rate.per_s, api->rate.burst,
		has_proof ? "" : " without proof of who it is", r->retry_after_s);
}
