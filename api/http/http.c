/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/http.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "api/http/admit.h"
#include "api/http/lobby.h"
#include "api/http/pump.h"
#include "api/api.h"
#include "api/call.h"
#include "api/http/request.h"
#include "api/http/strict.h"
#include "api/page/page.h"
#include "api/view/attach.h"
#include "api/view/view.h"
#include "api/http/visitor.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"

enum { PER_ADDRESS = 128, STALL_MS = 1000 };

struct http {
	struct api *api;
	struct pump *pump;
	LIST_HEAD(request_list, request) requests;
	struct lobby *lobby;
	unsigned n_most, n_held;
	size_t body_bytes; /* of all requests */
	bool has_tls, is_closing;
};

#define VIEW_OF_VIEW(id) [OP_##id] = view_##id,
#define VIEW_OF_CALL(id)
static int (*const views[OP_COUNT])(struct request *r, struct err *e) = {
#define OP(id, kind, method, path, role, in, out, status, cli, summary) VIEW_OF_##kind(id)
#include "schemas/ops.def"
#undef OP
};
#undef VIEW_OF_VIEW
#undef VIEW_OF_CALL

static enum MHD_Result queue(struct request *r, bool must_close)
{
	struct MHD_Response *response = TAKE(r->response);
	enum MHD_Result result;

	if (must_close || visitor_of(r->connection)->is_half_closed)
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(r->connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	tally_status(&r->api->tally, r->status);
	if (r->is_routed)
		tally_answer(&r->api->tally, r->route.op, clock_mono_ns() / 1000 - r->began_us);
	r->phase = REQUEST_ANSWERED;
	lobby_expect(r->api->http->lobby, visitor_of(r->connection), 0);
	return result;
}

static enum MHD_Result refuse(struct request *r, bool must_close)
{
	bool is_tokens = r->refused.code == ERR_DENIED && r->caller.identity[0];

	request_answer_problem(
		r, &r->refused,
		&(struct problem_more){
			.allowed = r->allow,
			.hint = is_tokens ? "use a token or certificate that is for this; qvmadm "
					    "token lists them, each with its role and VMs"
					  : NULL,
		});
	return queue(r, must_close);
}

static enum MHD_Result begin(struct request *r, const char *method, const char *version)
{
	struct strict_headers h;

	if (strict_check(r->connection, version, &h, &r->refused) < 0)
		return refuse(r, true);
	r->phase = REQUEST_BODY;
	lobby_expect(r->api->http->lobby, visitor_of(r->connection), LOBBY_BODY_MS);
	r->is_chunked = h.is_chunked;
	if (admit_request(r, method, &h, &r->refused) == 0)
		return MHD_YES;
	/* Before a body that is not on its way yet, or is too long to read just for courtesy. */
	if (h.has_body && (h.wants_continue || h.length > HTTP_DRAIN))
		return refuse(r, true);
	return MHD_YES;
}

static void forget_body(struct http *h, struct request *r)
{
	h->body_bytes -= r->body_cap;
	free(TAKE(r->body));
	r->body_cap = 0;
}

static int make_room(struct http *h, struct request *r, size_t n, struct err *e)
{
	size_t need = r->body_bytes + n, most = admit_most(r->route.op), cap = r->body_cap;

	if (need > most)
		return err_set(e, TOO_LARGE, "the body has over %zu bytes, which is the limit",
			       most);
	if (need <= cap)
		return 0;
	cap = need * 2 < most ? need * 2 : most;
	if (h->body_bytes - r->body_cap + cap > HTTP_BODIES)
		return err_set(e, LIMIT,
			       "other requests are sending %d MiB; there is no room for more",
			       HTTP_BODIES / 1024 / 1024);
	r->body = realloc(r->body, cap);
	if (!r->body)
		abort();
	h->body_bytes += cap - r->body_cap;
	r->body_cap = cap;
	return 0;
}

static enum MHD_Result take_body(struct http *h, struct request *r, const char *bytes, size_t n)
{
	if (!r->refused.code && make_room(h, r, n, &r->refused) == 0)
		memcpy(r->body + r->body_bytes, bytes, n);
	else
		forget_body(h, r);
	r->body_bytes += n;
	return r->body_bytes <= HTTP_DRAIN ? MHD_YES : MHD_NO;
}

/* The request is complete. */
static enum MHD_Result finish(struct http *h, struct request *r)
{
	struct err e;
	int result;

	lobby_expect(h->lobby, visitor_of(r->connection), 0);
	if (r->refused.code)
		return refuse(r, false);
	if (*r->allow) {
		request_answer_nothing(r, 204);
		request_header(r, "Allow", r->allow);
		if (strstr(r->allow, op_method_name(OP_PATCH))) /* RFC 5789, 3.1 */
			request_header(r, "Accept-Patch",
				       "application/merge-patch+json, application/json");
		return queue(r, false);
	}
	r->phase = REQUEST_HELD;
	if (r->asset) {
		page_answer(r);
		return queue(r, false);
	}
	result = views[r->route.op] ? views[r->route.op](r, &e) : call_forward(r, &e);
	forget_body(h, r);
	if (result < 0)
		request_answer_problem(r, &e, NULL);
	return r->response ? queue(r, false) : MHD_YES;
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *c, const char *url,
				 const char *method, const char *version, const char *upload,
				 size_t *n_upload, void **request)
{
	struct http *h = arg;
	struct request *r = *request;
	size_t n = *n_upload;

	(void)url;
	pump_moved(h->pump);
	r->moved_ms = clock_mono_ms();
	switch (r->phase) {
	case REQUEST_NEW: r->connection = c; return begin(r, method, version);
	case REQUEST_BODY: *n_upload = 0; return n ? take_body(h, r, upload, n) : finish(h, r);
	case REQUEST_HELD:
		if (r->is_gone)
			return MHD_NO;
		if (r->response)
			return queue(r, false);
		request_suspend(r);
		return MHD_YES;
	case REQUEST_ANSWERED: break;
	}
	return MHD_NO;
}

static void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
	struct http *h = arg;
	struct request *r = request_new(h->api, target);

	LIST_INSERT_HEAD(&h->requests, r, link);
	visitor_of(c)->request = r;
	lobby_expect(h->lobby, visitor_of(c), LOBBY_HEAD_MS);
	pump_moved(h->pump);
	return r;
}

/* target.c decodes; here nothing is touched. */
static size_t leave_escapes(void *arg, struct MHD_Connection *c, char *s)
{
	(void)arg;
	(void)c;
	return strlen(s);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **request,
			 enum MHD_RequestTerminationCode how)
{
	struct http *h = arg;
	struct request *r = *request;

	(void)how;
	pump_moved(h->pump);
	if (!r)
		return;
	*request = NULL;
	visitor_is_served(visitor_of(c));
	lobby_expect(h->lobby, visitor_of(c), HTTP_IDLE_S * 1000);
	forget_body(h, r);
	LIST_REMOVE(r, link);
	request_free(r);
}

static void on_connection(void *arg, struct MHD_Connection *c, void **visitor,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http *h = arg;

	pump_moved(h->pump);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*visitor = visitor_new(h->api, c);
		lobby_enter(h->lobby, *visitor);
	} else {
		lobby_leave(h->lobby, *visitor);
		visitor_free(*visitor);
	}
}

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *fmt, va_list ap)
{
	char line[512];

	(void)arg;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug(NULL, "http: %s", line);
}

/* What libmicrohttpd calls a panic is a broken invariant: the supervisor starts us again. */
static void on_panic(void *arg, const char *file, unsigned line, const char *why)
{
	(void)arg;
	log_error(NULL, "http: %s:%u: %s", file, line, why ? why : "");
	abort();
}

/* A chunk's head that fills the buffer and does not end: libmicrohttpd 0.9.75 asks for it for ever,
 * without sleeping, though the client be gone. */
static void end_stalled(void *http)
{
	struct http *h = http;
	uint64_t now_ms = clock_mono_ms();
	struct request *r;

	for (r = LIST_FIRST(&h->requests); r; r = LIST_NEXT(r, link))
		if (r->phase == REQUEST_BODY && r->is_chunked && now_ms > r->moved_ms + STALL_MS)
			shutdown(visitor_fd(r->connection), SHUT_RDWR);
}

static void read_what_came(void *http)
{
	struct http *h = http;

	pump_turn(h->pump);
}

void http_wake(struct http *h)
{
	pump_wake(h->pump);
}

int http_may_hold(const struct http *h, struct err *e)
{
	if (h->n_held < h->n_most / 4 * 3)
		return 0;
	return err_set(e, LIMIT, "%u streams and waiting requests are open, which is the limit",
		       h->n_held);
}

void http_held(struct http *h, int change)
{
	h->n_held = (unsigned)((int)h->n_held + change);
}

unsigned http_n_held(const struct http *h)
{
	return h->n_held;
}

int http_is_closing(const struct http *h)
{
	return h->is_closing;
}

/* What both doors have in common; `more` ends with MHD_OPTION_END. */
static int start_daemon(struct http *h, unsigned flags, int take_listener,
			const struct MHD_OptionItem *more, struct err *e)
{
	AUTO_FD int listener = take_listener;
	struct MHD_Daemon *d;

	fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
	d = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME |
				     MHD_USE_ERROR_LOG | flags,
			     0, NULL, NULL, on_access, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
			     MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
			     h->n_most, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
			     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
			     MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
			     on_target, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL,
			     MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
			     MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_ARRAY, more,
			     MHD_OPTION_END);
	if (!d)
		return err_sys(e, INTERNAL, "start the HTTP server on the listening socket");
	(void)TAKE_FD(listener); /* libmicrohttpd closes it */
	return pump_add(h->pump, d, e);
}

int http_open(struct api *api, int take_listener, unsigned max_fds, struct http **ret,
	      struct err *e)
{
	static const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	struct http *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->api = api;
	LIST_INIT(&h->requests);
	h->n_most = max_fds < HTTP_CONNECTIONS + HTTP_OTHER_FDS ? max_fds - HTTP_OTHER_FDS
								: HTTP_CONNECTIONS;
	h->pump = pump_new(api->loop, end_stalled, h);
	h->lobby = lobby_new(api->loop, h->n_most, read_what_came, h);
	MHD_set_panic_func(on_panic, NULL);
	*ret = h;
	return start_daemon(h, 0, take_listener, none, e);
}

int http_open_tls(struct http *h, int take_listener, http_certificate *certificate,
		  const char *client_ca, struct err *e)
{
	struct MHD_OptionItem more[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)certificate},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3"},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, PER_ADDRESS, NULL},
		{*client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, (void *)client_ca},
		{MHD_OPTION_END, 0, NULL},
	};

	if (start_daemon(h, MHD_USE_TLS, take_listener, more, e) < 0)
		return err_wrap(e, "serve TLS");
	h->has_tls = true;
	http_wake(h);
	return 0;
}

bool http_has_tls(const struct http *h)
{
	return h->has_tls;
}

/* Answers that are not sent yet; a request that has only half arrived gets none. */
static bool owes_answers(const struct http *h)
{
	const struct request *r;

	for (r = LIST_FIRST(&h->requests); r; r = LIST_NEXT(r, link))
		if (r->phase >= REQUEST_HELD && !r->is_gone)
			return true;
	return false;
}

/* Suspended connections must go on before libmicrohttpd may stop. */
static void flush(struct http *h)
{
	uint64_t until_ms = clock_mono_ms() + HTTP_FLUSH_MS;
	struct timespec pause = {0, 5 * 1000000L};
	struct request *r;

	for (r = LIST_FIRST(&h->requests); r; r = LIST_NEXT(r, link)) {
		if (r->phase == REQUEST_HELD && !r->response)
			r->is_gone = true;
		request_resume(r);
	}
	do {
		pump_turn(h->pump);
		if (!owes_answers(h))
			break;
		nanosleep(&pause, NULL);
	} while (clock_mono_ms() < until_ms);
	for (r = LIST_FIRST(&h->requests); r; r = LIST_NEXT(r, link))
		request_resume(r);
	pump_turn(h->pump);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	h->is_closing = true;
	pump_shut(h->pump);
	attach_end_all(h->api->attached);
	flush(h);
	pump_free(h->pump);
	lobby_free(h->lobby);
	free(h);
}
