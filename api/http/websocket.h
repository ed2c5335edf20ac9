/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket.h - an open WebSocket on the loop: messages in, messages out, never without bound. qvm-api.
 *
 * What is sent goes into a buffer that the socket empties; its user adds to it only when it is empty
 * (on_room), so a client that does not read stops its own flow alone. One that answers no ping within
 * WEBSOCKET_DEAD_MS is dropped. Under TLS the descriptor is a socket pair that libmicrohttpd forwards.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/http/frame.h"
#include "base/err.h"

struct api;
struct request;
struct websocket;

enum {
	WEBSOCKET_MOST = 128,
	WEBSOCKET_FDS = 2, /* of one, beside its connection: the pair under TLS */
	WEBSOCKET_OUT = 16 * 1024,
	WEBSOCKET_PING_MS = 20 * 1000,
	WEBSOCKET_DEAD_MS = 60 * 1000,
	WEBSOCKET_LINGER_MS = 2000, /* for the other's CLOSE */
};

struct websocket_user {
	void (*on_message)(void *arg, const struct frame *f); /* text or binary */
	void (*on_room)(void *arg);   /* nothing waits to be sent: send what there is */
	void (*on_closed)(void *arg); /* the last call; the websocket is no more after it */
};

/* In the upgrade handler of libmicrohttpd. */
struct websocket *websocket_open(struct api *api, struct MHD_UpgradeResponseHandle *take_handle,
				 int fd, const void *early, size_t n_early,
				 const struct websocket_user *user, void *arg);
/* Bytes that a message may have now. */
size_t websocket_room(const struct websocket *w);
void websocket_send(struct websocket *w, enum frame_kind kind, const void *bytes, size_t n);
/* There is something to send. */
void websocket_wake(struct websocket *w);
/* Read no further message until it is let go on; meanwhile only the socket tells whether the peer lives. */
void websocket_hold(struct websocket *w, bool is_held);
/* Say why, wait for the other's word, close. `text` is at most 100 bytes. */
void websocket_end(struct websocket *w, enum frame_close why, const char *text);
/* At once: the process ends. on_closed() is called in it. */
void websocket_abandon(struct websocket *w);
