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
#include <systemd/sd-event.h>

struct api;
struct request;

struct visitor {
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
