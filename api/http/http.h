/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - libmicrohttpd on the sd-event loop: connections in, answers out. qvm-api; owned by
 * main.c.
 *
 * A request is judged in this order: framing, target, route, origin, role, parameters, type and length of
 * the body. One that is refused is still read to its end (up to HTTP_DRAIN), so that its client
 * gets to see why.
 */
#pragma once

#include <gnutls/abstract.h>
#include <stdbool.h>

#include "api/http/websocket.h"
#include "base/err.h"

struct api;
struct http;

enum {
	HTTP_CONNECTIONS = 2048, /* at most; fewer when RLIMIT_NOFILE is lower */
	/* Descriptors that are no connections: link, listeners, epolls, database, stderr; pairs of
	 * WebSockets under TLS. */
	HTTP_OTHER_FDS = 128 + WEBSOCKET_MOST * WEBSOCKET_FDS,
	HTTP_MEMORY = 16 * 1024, /* for the header section of one connection */
	HTTP_IDLE_S = 60,
	HTTP_DRAIN = 16 * 1024 * 1024,	/* bytes of a refused body that are read */
	HTTP_BODIES = 64 * 1024 * 1024, /* bytes of all bodies together */
	HTTP_FLUSH_MS = 500,		/* to send what is ready when the process ends */
};

/* Serve a listening socket. max_fds: what RLIMIT_NOFILE allows. */
int http_open(struct api *api, int take_listener, unsigned max_fds, struct http **ret,
	      struct err *e);
/* Gives the certificate of a handshake. */
typedef gnutls_certificate_retrieve_function2 http_certificate;
/* A second door: TLS 1.3 on a listening TCP socket. client_ca: PEM, "" = certificates of clients are
 * not asked for; it must outlive *h. */
int http_open_tls(struct http *h, int take_listener, http_certificate *certificate,
		  const char *client_ca, struct err *e);
bool http_has_tls(const struct http *h);
/* Libmicrohttpd has something to do that no descriptor tells, such as a resumed connection. */
void http_wake(struct http *h);
/* May one more connection be held (a stream, a wait)? The rest stays free for short requests. */
int http_may_hold(const struct http *h, struct err *e);
void http_held(struct http *h, int change);
unsigned http_n_held(const struct http *h);
/* No streams any more: they end with their next look. */
int http_is_closing(const struct http *h);
/* Take no more connections, end the streams, send what is ready, close. */
void http_close(struct http *h);
