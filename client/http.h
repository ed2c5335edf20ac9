/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - one qvmd as a client sees it: a unix socket or an https address. qvmadm.
 *
 * A request names a row of schemas/ops.def; method and path come from there. Any HTTP answer is a
 * success of http_call(), whatever its status: client/show/problem.h renders the refusals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schemas/op.h"

struct http;

/* Called with each piece of a successful answer; false ends the call, which counts as success. */
typedef bool http_sink(void *arg, const char *bytes, size_t n);

enum {
	HTTP_BODY = 64 * 1024 * 1024, /* a longer answer is refused */
	HTTP_PATIENCE_MS = 30 * 1000, /* for the answer to a call that does not stream or wait */
};

/* The If-Match of a revision: a quoted number. */
enum { HTTP_MATCH = 24 };
const char *http_match(int64_t revision, char ret[static HTTP_MATCH]);

struct http_request {
	enum op_id op;
	const char *param;  /* for the {vm} or {id} of the path */
	const char *second; /* for what comes after it */
	const char *query;  /* "follow=1&since=7", encoded already; NULL = none */
	const char *body;   /* NULL = none */
	size_t body_bytes;
	const char *body_type;
	const char *if_match;
	const char *range, *if_range;
	const char *accept; /* NULL = application/json */
	int64_t timeout_ms; /* for the whole; 0 = HTTP_PATIENCE_MS, -1 = none */
	bool ends_unread;   /* when whoever reads stdout has gone, which counts as success */
	http_sink *sink;    /* NULL: the body is collected */
	void *sink_arg;
	long *status; /* of a successful answer, before its sink is called; NULL = of no interest */
};

struct http_response {
	long status;
	char *body; /* terminated; NULL when a sink took it */
	size_t body_bytes;
	long retry_after_s; /* of the header; 0 = none */
	bool is_stopped;    /* the sink ended it, or, with status 0, nobody reads any more */
};

/* Which server, and with what to come to it: see client/choice.h. All but host may be NULL. */
struct http_server {
	const char *host;		 /* "unix:PATH" or "https://HOST[:PORT]" */
	const char *context;		 /* that named it, for error texts */
	const char *token;		 /* a secret */
	const char *cacert, *cert, *key; /* PEM files */
};

/* ERR_INVALID for another form of host. Nothing is connected yet. */
int http_open(const struct http_server *s, struct http **ret, struct err *e);
/* ERR_INVALID when it is no form of a host. */
int http_check_host(const char *host, struct err *e);
void http_close(struct http *h);
/* Tell each call and its answer on stderr. */
void http_explain(struct http *h);
static inline void http_done(struct http *const *h)
{
	http_close(*h);
}
#define AUTO_HTTP __attribute__((cleanup(http_done)))

/* ERR_NO_SERVER when nobody answers (the text says where it was tried and how to start one),
 * ERR_DENIED, ERR_TIMEOUT. Who answers 429 is asked again after its Retry-After, for 30 s in all. A sink
 * may call again on another struct http. */
int http_call(struct http *h, const struct http_request *q, struct http_response *ret,
	      struct err *e);
void http_response_free(struct http_response *r);
#define AUTO_RESPONSE __attribute__((cleanup(http_response_free)))

/*
 * For calls that go on together, each on a struct http of its own: the CURL handle to put into a
 * curl_multi, and the CURLcode of its CURLMSG_DONE back. What q points to stays until the end;
 * again: the same request with the same id, so that what was done already is not done twice.
 */
void *http_begin(struct http *h, const struct http_request *q);
void *http_begin_again(struct http *h);
/* As http_call(). */
int http_end(struct http *h, int code, struct http_response *ret, struct err *e);
/* A header of the last answer, until the next call; NULL = it had none. */
const char *http_header(const struct http *h, const char *name);

static inline bool http_is_success(const struct http_response *r)
{
	return r->status >= 200 && r->status < 300;
}

/* A second door to the same server, for a call inside a sink; the caller closes it. */
int http_again(const struct http *h, struct http **ret, struct err *e);
const char *http_host(const struct http *h); /* "unix:/run/qvm/api.sock" */
