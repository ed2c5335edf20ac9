/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - WebSocket frames (RFC 6455, section 5): from a client's bytes to its messages, and the
 * heads of our own. qvm-api; pure.
 *
 * A message that came in fragments is given whole; control frames are given between them, as they
 * come. What a message may have of bytes is bounded, so a reader never grows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_MESSAGE = 4096, /* bytes of a message of a client */
	FRAME_CONTROL = 125,  /* of a control frame, RFC 6455 5.5 */
	FRAME_HEAD = 10,      /* of one of ours, which is not masked */
};

enum frame_kind {
	FRAME_MORE = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
};

/* Why a connection is closed, RFC 6455 7.4.1. */
enum frame_close {
	FRAME_CLOSE_NORMAL = 1000,
	FRAME_CLOSE_AWAY = 1001,
	FRAME_CLOSE_PROTOCOL = 1002,
	FRAME_CLOSE_NOTHING = 1005, /* never sent: the other gave no reason */
	FRAME_CLOSE_POLICY = 1008,
	FRAME_CLOSE_TOO_BIG = 1009,
};

struct frame_reader {
	uint8_t head[14];
	unsigned n_head;
	bool is_in_payload, is_final, is_given;
	enum frame_kind kind; /* of the present frame */
	uint64_t left;	      /* bytes of its payload */
	unsigned at_mask;
	enum frame_kind message_kind; /* FRAME_MORE = no message has begun */
	size_t n_message, n_control;
	uint8_t message[FRAME_MESSAGE], control[FRAME_CONTROL];
};

struct frame {
	enum frame_kind kind; /* never FRAME_MORE */
	const uint8_t *bytes; /* until the next frame_read() */
	size_t n;
};

/* 1: *ret is a message or a control frame, made of the first *ret_taken bytes. 0: they are all
 * taken, and more are needed. -1: the connection is to be closed with *ret_why; no more is read. */
int frame_read(struct frame_reader *r, const uint8_t *bytes, size_t n, size_t *ret_taken,
	       struct frame *ret, enum frame_close *ret_why);
/* The head of an unfragmented frame of n bytes. Returns its length. */
size_t frame_head(enum frame_kind kind, size_t n, uint8_t ret[static FRAME_HEAD]);
/* Of a CLOSE that was read: FRAME_CLOSE_NOTHING when it has none, FRAME_CLOSE_PROTOCOL when it is
 * one that may not be sent. */
enum frame_close frame_why(const struct frame *close);
