/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - the stream of events: NDJSON records in the order of their sequence number, the first
 * of a followed stream being {"kind":"ready","seq":N}. qvmadm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "client/http.h"

enum {
	EVENT_RECORD = 256 * 1024, /* a longer record breaks the protocol */
	EVENT_FILTER = 512,
};

/* One record: as it came, and read. False ends the reading, which counts as success. */
typedef bool event_sink(void *arg, const char *line, size_t n, const json_t *event);

struct event_query {
	int64_t since; /* first sequence number wanted; -1 = with follow from now on, else all */
	int64_t tail;  /* of those, the newest so many; -1 = all */
	const char *filter;  /* "&vm=brake&kind=safe", encoded already; NULL = all */
	bool follow;	     /* go on for ever; a lost connection is taken up where it broke off */
	int64_t deadline_ms; /* monotonic; 0 = none. Passing it is ERR_TIMEOUT */
	bool ends_unread;    /* when whoever reads stdout has gone */
	event_sink *sink;
	void *arg;
};

/*
 * Read events into the sink. 0: the end, or the sink's wish. -1: *e, or, when the server refused,
 * *ret_refusal holds its answer and e->code is ERR_OK.
 */
int event_read(struct http *h, const struct event_query *q, struct http_response *ret_refusal,
	       struct err *e);
/* The record that a followed stream begins with: not what happened, so it has no time. A standby's
 * event is of the same kind. */
bool event_is_beginning(const json_t *event);
/* The line for people: time, kind, VM, text. */
void event_print(const json_t *event);
