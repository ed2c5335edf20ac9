/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - one HTTP request, from its first line to the last byte of its answer. qvm-api.
 * Made and freed by http.c; the views and calls fill its answer.
 *
 * A request that must wait (for the supervisor, for an operation, for news on a stream) is
 * suspended: it costs no turn of the loop (visitor.h sees its client leave).
 */
#pragma once

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "api/http/auth.h"
#include "api/http/body.h"
#include "api/http/debt.h"
#include "api/http/param.h"
#include "api/http/problem.h"
#include "api/http/route.h"
#include "base/err.h"
#include "schemas/message.h"

struct api;
struct page_asset;
struct request;

enum request_phase {
	REQUEST_NEW,  /* its headers are not judged yet */
	REQUEST_BODY, /* its body arrives, to be used or, when it is refused, to be thrown away */
	REQUEST_HELD, /* somebody else will answer it */
	REQUEST_ANSWERED,
};

/* Who holds a request that is not answered yet or whose answer goes on. */
struct request_holder {
	void (*forget)(struct request *r, void *arg); /* the connection has ended */
	void *arg;
};

struct request {
	LIST_ENTRY(request) link;
	struct api *api;
	struct MHD_Connection *connection;
	uint64_t id;
	enum request_phase phase;
	bool is_head, is_suspended, is_gone;
	bool is_chunked;	/* its body */
	uint64_t moved_ms;	/* monotonic: when its last bytes were taken */
	bool is_routed;		/* its path and method are those of `route` */
	bool is_counted;	/* by asker.c */
	uint32_t retry_after_s; /* of a refusal that passes with time; 0 = it is not known when */
	uint64_t began_us;	/* monotonic */
	char *target;
	struct msg_caller caller;
	struct auth_grant grant;
	struct route route;
	const struct page_asset *asset; /* a file of the dashboard is asked for; then no route */
	struct param_set params;
	enum body_type body_type;
	char *body;
	size_t body_bytes, body_cap;
	struct err refused; /* code ERR_OK: it is not */
	char allow[ROUTE_ALLOW];
	int status;
	struct MHD_Response *response;
	struct debt debt; /* the answer's */
	struct request_holder holder;
	sd_event_source *deadline;
};

struct request *request_new(struct api *api, const char *target);
void request_free(struct request *r);

/* The answer, once. The header functions come after it. */
void request_answer_json(struct request *r, int status, json_t *take_value);
void request_answer_problem(struct request *r, const struct err *e, const struct problem_more *m);
void request_answer_bytes(struct request *r, int status, const char *type, const char *bytes,
			  size_t n);
/* Bytes that outlive the request. */
void request_answer_static(struct request *r, const char *type, const char *bytes, size_t n);
void request_answer_text(struct request *r, int status, const char *type, char *take_text,
			 size_t n);
void request_answer_nothing(struct request *r, int status);
void request_answer_stream(struct request *r, const char *type, MHD_ContentReaderCallback reader,
			   MHD_ContentReaderFreeCallback done, void *arg);
/* 101: on_upgraded gets the connection; its first argument is r, which lives as long. */
void request_answer_upgrade(struct request *r, MHD_UpgradeHandler on_upgraded);
/* `bytes` of them, to be read as they are sent. */
void request_answer_sized(struct request *r, int status, const char *type, uint64_t bytes,
			  MHD_ContentReaderCallback reader, MHD_ContentReaderFreeCallback done,
			  void *arg);
void request_header(struct request *r, const char *name, const char *value);
void request_etag(struct request *r, int64_t revision);

/* Leave the loop until request_resume(); only from a handler or a reader of this request. */
void request_suspend(struct request *r);
void request_resume(struct request *r);
/* Call fn once at that monotonic time, unless the request ends before. */
void request_set_deadline(struct request *r, uint64_t at_ms, sd_event_time_handler_t fn);
void request_clear_deadline(struct request *r);

static inline const char *request_vm(const struct request *r)
{
	return r->route.param;
}
