/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visitor.h - one connection, watched for its client's leaving. qvm-api; made by http.c.
 *
 * Libmicrohttpd reads edge-triggered: when a client's last bytes and its leaving come together, it
 * takes the bytes and never hears of the rest; and it does not listen at all to a connection that is
 * suspended. So the kernel is asked here, too.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct api;
struct request;

/* What lobby.c lets it have. */
enum visitor_standing {
	VISITOR_REMOTE, /* over TCP */
	VISITOR_COMMON,
	VISITOR_ADMIN, /* by its groups */
	VISITOR_FREE,  /* root and the supervisor's own user: no limit of their own */
};

struct visitor {
	LIST_ENTRY(visitor) link; /* of lobby.c, as the next three */
	uint64_t due_ms; /* monotonic: when it must have sent what is expected; 0 = nothing is */
	uid_t uid;	 /* (uid_t)-1 = not known */
	enum visitor_standing standing;
	struct api *api;
	struct MHD_Connection *connection;
	struct request *request; /* the present one; NULL in between */
	bool is_half_closed;	 /* it sends no more; it may still listen */
	sd_event_source *source;
};

struct visitor *visitor_new(struct api *api, struct MHD_Connection *c);
void visitor_free(struct visitor *v);
struct visitor *visitor_of(struct MHD_Connection *c);
int visitor_fd(struct MHD_Connection *c);
/* Its connection is no HTTP any more: whoever has its descriptor watches it. */
void visitor_is_upgraded(struct visitor *v);
/* Its request has been answered. */
void visitor_is_served(struct visitor *v);
