/* SPDX-License-Identifier: Apache-2.0 */
#include "client/http.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <curl/curl.h>

#include "base/auto.h"
#include "base/str.h"
#include "client/show/term.h"

/* An API process that has died is back within this. */
enum { TRIES = 20, PAUSE_MS = 100 };

/* For how long in all a server that says 429 is asked again. */
enum { WAIT_S = 30 };

struct http {
	CURL *curl;
	char *host, *context, *token, *cacert, *cert, *key;
	const char *path; /* of the unix socket, inside host; NULL = https */
	bool is_explained;
	char why[CURL_ERROR_SIZE];
	struct pending *pending; /* of http_begin(); NULL = none */
};

/* One call on its way. */
struct call {
	CURL *curl;
	const struct http_request *q;
	struct http_response *r;
	size_t cap;
	bool is_too_long;
};

/* One that goes on while others do. */
struct pending {
	struct call call;
	struct http_request q;
	struct http_response r;
	char *url;
	struct curl_slist *headers;
};

int http_check_host(const char *host, struct err *e)
{
	if (strncmp(host, "unix:/", 6) != 0 && strncmp(host, "https://", 8) != 0)
		return err_set(
			e, INVALID,
			"'%s' names no server; it must be unix:PATH with an absolute path, or "
			"https://HOST:PORT",
			host);
	if (strlen(host) - 5 >= sizeof((struct sockaddr_un *)0)->sun_path && host[0] == 'u')
		return err_set(e, INVALID,
			       "the socket path in '%s' is too long; the most is %zu bytes", host,
			       sizeof((struct sockaddr_un *)0)->sun_path - 1);
	return 0;
}

const char *http_match(int64_t revision, char ret[static HTTP_MATCH])
{
	snprintf(ret, HTTP_MATCH, "\"%" PRId64 "\"", revision);
	return ret;
}

static char *copy(const char *s)
{
	char *c = s ? strdup(s) : NULL;

	if (s && !c)
		abort();
	return c;
}

int http_open(const struct http_server *s, struct http **ret, struct err *e)
{
	struct http *h;

	if (http_check_host(s->host, e) < 0)
		return -1;
	h = calloc(1, sizeof *h);
	if (!h || !(h->curl = curl_easy_init()))
		abort();
	h->host = copy(s->host);
	h->context = copy(s->context);
	h->token = copy(s->token);
	h->cacert = copy(s->cacert);
	h->cert = copy(s->cert);
	h->key = copy(s->key);
	h->path = h->host[0] == 'u' ? h->host + 5 : NULL;
	for (size_t n = strlen(h->host); !h->path && h->host[n - 1] == '/'; n--)
		h->host[n - 1] = '\0';
	*ret = h;
	return 0;
}

int http_again(const struct http *h, struct http **ret, struct err *e)
{
	const struct http_server s = {h->host, h->context, h->token, h->cacert, h->cert, h->key};

	if (http_open(&s, ret, e) < 0)
		return -1;
	(*ret)->is_explained = h->is_explained;
	return 0;
}

void http_explain(struct http *h)
{
	h->is_explained = true;
}

static void drop_pending(struct http *h)
{
	struct pending *p = h->pending;

	if (!p)
		return;
	http_response_free(&p->r);
	curl_slist_free_all(p->headers);
	free(p->url);
	free(p);
	h->pending = NULL;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	drop_pending(h);
	free(h->host);
	free(h->context);
	free(h->token);
	free(h->cacert);
	free(h->cert);
	free(h->key);
	free(h);
}

const char *http_host(const struct http *h)
{
	return h->host;
}

void http_response_free(struct http_response *r)
{
	free(r->body);
	*r = (struct http_response){0};
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct call *c = arg;
	struct http_response *r = c->r;

	(void)one; /* always 1 */
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &r->status);
	if (c->q->sink && http_is_success(r)) {
		if (c->q->status)
			*c->q->status = r->status;
		r->is_stopped = !c->q->sink(c->q->sink_arg, bytes, n);
		return r->is_stopped ? CURL_WRITEFUNC_ERROR : n;
	}
	if (r->body_bytes + n > HTTP_BODY) {
		c->is_too_long = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (r->body_bytes + n + 1 > c->cap) {
		c->cap = (r->body_bytes + n + 1) * 2;
		r->body = realloc(r->body, c->cap);
		if (!r->body)
			abort();
	}
	memcpy(r->body + r->body_bytes, bytes, n);
	r->body_bytes += n;
	return n;
}

/* Called at least once a second, also when nothing comes. */
static int on_progress(void *arg, curl_off_t down, curl_off_t downloaded, curl_off_t up,
		       curl_off_t uploaded)
{
	struct call *c = arg;

	(void)down, (void)downloaded, (void)up, (void)uploaded;
	if (term_is_unread(stdout, 0))
		c->r->is_stopped = true;
	return c->r->is_stopped;
}

/* The path of the operation's row with its parameters, percent-encoded, and the query. */
static char *url_of(const struct http *h, const struct http_request *q)
{
	const char *value[] = {q->param, q->second}, *path = op_table[q->op].path;
	size_t n, bytes;
	char *url;
	FILE *f = open_memstream(&url, &bytes);

	if (!f)
		abort();
	fputs(h->path ? "http://localhost" : h->host, f);
	for (unsigned i = 0; *path; path += n) {
		char *escaped = NULL;

		n = *path == '{' ? strcspn(path, "}") + 1 : strcspn(path, "{");
		if (*path == '{' && i < NELEMS(value))
			escaped = curl_easy_escape(h->curl, value[i++], 0);
		fprintf(f, "%.*s", escaped ? (int)strlen(escaped) : (int)n,
			escaped ? escaped : path);
		curl_free(escaped);
	}
	fprintf(f, "%s%s", q->query ? "?" : "", q->query ? q->query : "");
	if (fclose(f) != 0)
		abort();
	return url;
}

static void __attribute__((format(printf, 2, 3)))
add_header(struct curl_slist **list, const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	*list = curl_slist_append(*list, line);
}

static struct curl_slist *headers_of(const struct http *h, const struct http_request *q,
				     uint64_t request)
{
	struct curl_slist *list = NULL;

	add_header(&list, "Accept: %s", q->accept ? q->accept : "application/json");
	add_header(&list, "Expect:"); /* no 100-continue round trip */
	add_header(&list, "Content-Type:%s%s", q->body ? " " : "",
		   q->body ? q->body_type : ""); /* without a value, libcurl's own is not sent */
	if (request)
		add_header(&list, "Request-Id: %016" PRIx64, request);
	if (h->token)
		add_header(&list, "Authorization: Bearer %.200s", h->token);
	if (q->range)
		add_header(&list, "Range: %s", q->range);
	if (q->if_range)
		add_header(&list, "If-Range: %s", q->if_range);
	if (q->if_match)
		add_header(&list, "If-Match: %s", q->if_match);
	return list;
}

static bool sends_body(const struct http_request *q)
{
	enum op_method m = op_table[q->op].method;

	return m == OP_POST || m == OP_PUT || m == OP_PATCH;
}

static void set_up(struct http *h, const struct http_request *q, struct call *c, const char *url,
		   struct curl_slist *headers)
{
	const struct {
		const char *path;
		CURLoption option;
	} file[] = {
		{h->cacert, CURLOPT_CAINFO}, {h->cert, CURLOPT_SSLCERT}, {h->key, CURLOPT_SSLKEY}};
	long timeout_ms = q->timeout_ms == 0  ? HTTP_PATIENCE_MS
			  : q->timeout_ms < 0 ? 0
					      : (long)q->timeout_ms;
	CURL *curl = h->curl;

	curl_easy_reset(curl); /* keeps the connection */
	h->why[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, h->why);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, h->path ? "http" : "https");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (h->path)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, h->path);
	for (size_t i = 0; i < NELEMS(file); i++)
		if (file[i].path)
			curl_easy_setopt(curl, file[i].option, file[i].path);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, op_method_name(op_table[q->op].method));
	if (sends_body(q)) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_bytes);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body ? q->body : "");
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "qvmadm/" QVM_VERSION);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
	if (q->ends_unread) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
	}
}

/* Why nobody could be reached at the socket: ask the kernel, whose answer libcurl drops. */
static int no_server(const struct http *h, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!h->path)
		return err_set(e, NO_SERVER, "nobody answers at '%s': %s", h->host, h->why);
	str_copy(a.sun_path, sizeof a.sun_path, h->path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
		return err_set(e, NO_SERVER, "the server at '%s' closed the connection: %s",
			       h->host, h->why);
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return err_set(
			e, NO_SERVER,
			"there is no socket at '%s': qvmd is not running, or keeps its socket "
			"elsewhere. Start it with `systemctl start qvmd` or `qvmd --foreground`",
			h->path);
	case ECONNREFUSED:
		return err_set(
			e, NO_SERVER,
			"nobody listens at the socket '%s': its qvmd has ended. Start it with "
			"`systemctl start qvmd` or `qvmd --foreground`",
			h->path);
	case EACCES:
	case EPERM:
		return err_sys(e, DENIED,
			       "may not connect to '%s'; ask to be put into the group that owns it",
			       h->path);
	default: return err_sys(e, NO_SERVER, "connect to '%s'", h->path);
	}
}

static bool is_broken_off(CURLcode code)
{
	return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
	       code == CURLE_PARTIAL_FILE;
}

static int judge(const struct http *h, const struct call *c, CURLcode code, struct err *e)
{
	if (c->r->is_stopped || code == CURLE_OK)
		return 0;
	if (c->is_too_long)
		return err_set(e, NO_SERVER,
			       "the answer of '%s' is longer than %d MiB; it was dropped", h->host,
			       HTTP_BODY >> 20);
	if (is_broken_off(code))
		return err_set(e, NO_SERVER, "the connection to '%s' broke off: %s", h->host,
			       h->why);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(e, TIMEOUT, "'%s' did not answer in time: %s", h->host, h->why);
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST: return no_server(h, e);
	case CURLE_PEER_FAILED_VERIFICATION:
		return err_set(e, NO_SERVER,
			       "'%s' does not prove who it is: %s. QVM_CACERT, or the cacert of a "
			       "context, names the PEM file of the authority to trust",
			       h->host, h->why);
	default:
		return err_set(e, NO_SERVER, "the call to '%s' did not end well: %s", h->host,
			       h->why[0] ? h->why : curl_easy_strerror(code));
	}
}

/* Asking again changes nothing: what was done is known by its id. Of what streams, something has been
 * seen. */
static bool may_ask_again(const struct http_request *q, CURLcode code)
{
	return is_broken_off(code) && !q->sink;
}

/* The id of a request that may have to be sent again; 0 = the server gives one. */
static uint64_t request_id(const struct http_request *q)
{
	uint64_t id = 0;

	while (op_table[q->op].kind == OP_KIND_CALL && id == 0)
		if (getrandom(&id, sizeof id, 0) != sizeof id)
			abort();
	return id;
}

/* How long to wait for a server that has had too many requests; 0 = its answer is the answer. */
static time_t must_wait(const struct http *h, CURLcode code, time_t waited_s)
{
	curl_off_t s = 0;
	long status = 0;

	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &s);
	return code == CURLE_OK && status == 429 && s > 0 && s <= WAIT_S - waited_s ? s : 0;
}

static CURLcode perform(struct http *h, const struct http_request *q, struct call *c,
			const char *url)
{
	struct curl_slist *headers = headers_of(h, q, request_id(q));
	time_t wait_s, waited_s = 0;
	unsigned n = 0;
	CURLcode code;

	for (;; c->r->body_bytes = 0) {
		set_up(h, q, c, url, headers);
		code = curl_easy_perform(h->curl);
		wait_s = must_wait(h, code, waited_s);
		if (wait_s) {
			if (waited_s == 0 || h->is_explained)
				fprintf(stderr,
					"qvmadm: '%s' has too many requests; asking again in %ld "
					"s, "
					"for %d s at most\n",
					h->host, (long)wait_s, WAIT_S);
			waited_s += wait_s;
			nanosleep(&(struct timespec){.tv_sec = wait_s}, NULL);
			continue;
		}
		if (++n == TRIES || !may_ask_again(q, code))
			break;
		if (h->is_explained)
			fprintf(stderr, "qvmadm: the connection broke off; asking again\n");
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	}
	curl_slist_free_all(headers);
	return code;
}

/* What came of it: the body is the caller's now. */
static int conclude(struct http *h, const struct call *c, CURLcode code, struct http_response *ret,
		    struct err *e)
{
	struct http_response *r = c->r;
	curl_off_t retry_after_s = 0;

	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	r->retry_after_s = (long)retry_after_s;
	if (judge(h, c, code, e) < 0) {
		if (h->context)
			err_set_at(e, e->code, 0, __FILE__, __LINE__, "context '%s': %s",
				   h->context, e->msg);
		return -1;
	}
	if (h->is_explained)
		fprintf(stderr, "qvmadm: the answer is %ld, %zu bytes\n", r->status, r->body_bytes);
	if (!r->body && !(r->body = calloc(1, 1)))
		abort();
	r->body[r->body_bytes] = '\0';
	*ret = *r;
	r->body = NULL;
	return 0;
}

static void explain(const struct http *h, const struct http_request *q, const char *url)
{
	if (h->is_explained)
		fprintf(stderr, "qvmadm: %s %s\n", op_method_name(op_table[q->op].method), url);
}

int http_call(struct http *h, const struct http_request *q, struct http_response *ret,
	      struct err *e)
{
	AUTO_RESPONSE struct http_response r = {0};
	AUTO_FREE char *url = url_of(h, q);
	struct call c = {.curl = h->curl, .q = q, .r = &r};

	explain(h, q, url);
	return conclude(h, &c, perform(h, q, &c, url), ret, e);
}

void *http_begin(struct http *h, const struct http_request *q)
{
	struct pending *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	drop_pending(h);
	p->q = *q;
	p->call = (struct call){.curl = h->curl, .q = &p->q, .r = &p->r};
	p->url = url_of(h, q);
	p->headers = headers_of(h, q, request_id(q));
	h->pending = p;
	explain(h, q, p->url);
	set_up(h, &p->q, &p->call, p->url, p->headers);
	return h->curl;
}

void *http_begin_again(struct http *h)
{
	struct pending *p = h->pending;

	http_response_free(&p->r);
	p->call = (struct call){.curl = h->curl, .q = &p->q, .r = &p->r};
	set_up(h, &p->q, &p->call, p->url, p->headers);
	return h->curl;
}

int http_end(struct http *h, int code, struct http_response *ret, struct err *e)
{
	return conclude(h, &h->pending->call, (CURLcode)code, ret, e);
}

const char *http_header(const struct http *h, const char *name)
{
	struct curl_header *found;

	return curl_easy_header(h->curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK
		       ? found->value
		       : NULL;
}
