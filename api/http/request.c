/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/api.h"
#include "api/http/http.h"
#include "api/http/target.h"
#include "api/http/upgrade.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"

struct request *request_new(struct api *api, const char *target)
{
	struct request *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->api = api;
	r->began_us = clock_mono_ns() / 1000;
	r->target = strndup(target, TARGET_MAX);
	if (!r->target)
		abort();
	while (r->id == 0)
		if (getrandom(&r->id, sizeof r->id, 0) != sizeof r->id)
			abort();
	return r;
}

void request_free(struct request *r)
{
	debt_drop(&r->debt);
	if (r->holder.forget)
		r->holder.forget(r, r->holder.arg);
	if (r->response)
		MHD_destroy_response(r->response);
	sd_event_source_disable_unref(r->deadline);
	free(r->target);
	free(r->body);
	free(r);
}

void request_header(struct request *r, const char *name, const char *value)
{
	if (MHD_add_response_header(r->response, name, value) != MHD_YES)
		abort();
}

void request_etag(struct request *r, int64_t revision)
{
	char tag[32];

	snprintf(tag, sizeof tag, "\"%" PRId64 "\"", revision);
	request_header(r, "ETag", tag);
}

static void answer(struct request *r, int status, struct MHD_Response *take_response,
		   const char *type)
{
	char id[24];

	if (!take_response || r->response)
		abort();
	r->response = take_response;
	r->status = status;
	snprintf(id, sizeof id, "%016" PRIx64, r->id);
	request_header(r, "Request-Id", id);
	request_header(r, "Cache-Control", "no-store");
	if (!type)
		return;
	request_header(r, "Content-Type", type);
	request_header(r, "X-Content-Type-Options", "nosniff");
}

/* One that reads too slowly gets no more to read. */
static void answer_text(struct request *r, int status, const char *type, char *take_text, size_t n)
{
	struct err e;

	if (debt_take(r, n, &e) == 0) {
		answer(r, status,
		       MHD_create_response_from_buffer(n, take_text, MHD_RESPMEM_MUST_FREE), type);
		return;
	}
	free(take_text);
	request_answer_problem(r, &e, NULL);
}

static void answer_json(struct request *r, int status, json_t *take_value, const char *type)
{
	char *text = json_dumps(take_value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		abort();
	json_decref(take_value);
	answer_text(r, status, type, text, strlen(text));
}

void request_answer_json(struct request *r, int status, json_t *take_value)
{
	answer_json(r, status, take_value, "application/json");
}

void request_answer_problem(struct request *r, const struct err *e, const struct problem_more *m)
{
	int status = err_http((enum err_code)e->code);
	char retry_after[12];

	if (status >= 500)
		log_error((&(struct log_about){.request = r->id, .err = e}),
			  "request %016" PRIx64 ": %s", r->id, e->msg);
	answer_json(r, status, problem_make(e, r->id, m), PROBLEM_TYPE);
	snprintf(retry_after, sizeof retry_after, "%u", r->retry_after_s ? r->retry_after_s : 1);
	if (status == 429 || status == 503)
		request_header(r, "Retry-After", retry_after);
	if (e->code == ERR_IDENTITY)
		request_header(r, "WWW-Authenticate", "Bearer");
	if (e->code == ERR_METHOD)
		request_header(r, "Allow", r->allow);
	if (e->code == ERR_INVALID && r->is_routed &&
	    r->route.op == OP_vm_attach) /* RFC 6455, 4.4 */
		request_header(r, "Sec-WebSocket-Version", UPGRADE_VERSION);
}

void request_answer_bytes(struct request *r, int status, const char *type, const char *bytes,
			  size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		abort();
	memcpy(text, bytes, n);
	answer_text(r, status, type, text, n);
}

void request_answer_static(struct request *r, const char *type, const char *bytes, size_t n)
{
	answer(r, 200, MHD_create_response_from_buffer(n, (void *)bytes, MHD_RESPMEM_PERSISTENT),
	       type);
}

void request_answer_text(struct request *r, int status, const char *type, char *take_text, size_t n)
{
	answer_text(r, status, type, take_text, n);
}

void request_answer_nothing(struct request *r, int status)
{
	answer(r, status, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), NULL);
}

void request_answer_stream(struct request *r, const char *type, MHD_ContentReaderCallback reader,
			   MHD_ContentReaderFreeCallback done, void *arg)
{
	enum { BLOCK = 4096 };

	answer(r, 200,
	       MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, reader, arg, done), type);
}

void request_answer_upgrade(struct request *r, MHD_UpgradeHandler on_upgraded)
{
	answer(r, 101, MHD_create_response_for_upgrade(on_upgraded, r), NULL);
}

void request_answer_sized(struct request *r, int status, const char *type, uint64_t bytes,
			  MHD_ContentReaderCallback reader, MHD_ContentReaderFreeCallback done,
			  void *arg)
{
	enum { BLOCK = 128 * 1024 };

	answer(r, status, MHD_create_response_from_callback(bytes, BLOCK, reader, arg, done), type);
}

void request_suspend(struct request *r)
{
	MHD_suspend_connection(r->connection);
	r->is_suspended = true;
}

void request_resume(struct request *r)
{
	if (!r->is_suspended)
		return;
	r->is_suspended = false;
	MHD_resume_connection(r->connection);
	http_wake(r->api->http);
}

void request_set_deadline(struct request *r, uint64_t at_ms, sd_event_time_handler_t fn)
{
	request_clear_deadline(r);
	if (sd_event_add_time(r->api->loop, &r->deadline, CLOCK_MONOTONIC, at_ms * 1000, 1000, fn,
			      r) < 0)
		abort();
}

void request_clear_deadline(struct request *r)
{
	r->deadline = sd_event_source_disable_unref(r->deadline);
}
