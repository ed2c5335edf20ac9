/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/strict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"

/* Headers that frame or address a request: two of them contradict each other. */
static const char *const once[] = {
	"Host",
	"Content-Length",
	"Transfer-Encoding",
	"Content-Type",
	"Expect",
	"If-Match",
	"If-None-Match",
	"Last-Event-ID",
	"Authorization",
	"Request-Id",
	"Origin",
	"Sec-Fetch-Site",
	"Sec-WebSocket-Key",
	"Sec-WebSocket-Version",
	"Sec-WebSocket-Protocol",
};
enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONTENT_TYPE, EXPECT };

struct headers {
	unsigned count[NELEMS(once)];
	const char *value[NELEMS(once)];
	struct err *e;
	int result;
};

/* RFC 9110, 5.6.2: a name is a token. */
static bool is_token(const char *s, size_t n)
{
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !(s[i] && strchr("!#$%&'*+-.^_`|~", s[i])))
			return false;
	return true;
}

static bool is_clean(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
			return false;
	return true;
}

static enum MHD_Result look(void *arg, enum MHD_ValueKind kind, const char *name, size_t n_name,
			    const char *value, size_t n_value)
{
	struct headers *h = arg;

	(void)kind;
	if (!is_token(name, n_name) || !is_clean(value, n_value)) {
		h->result = err_set(h->e, INVALID,
				    "a header's name or value holds a byte that does "
				    "not belong there");
		return MHD_NO;
	}
	for (size_t i = 0; i < NELEMS(once); i++) {
		if (strcasecmp(name, once[i]) != 0)
			continue;
		h->value[i] = value;
		if (h->count[i]++ == 0)
			continue;
		h->result = err_set(h->e, INVALID, "the header '%s' is given twice", once[i]);
		return MHD_NO;
	}
	return MHD_YES;
}

static int read_length(const char *text, uint64_t *ret, struct err *e)
{
	size_t n = strlen(text);

	if (n == 0 || n > 18 || strspn(text, "0123456789") != n)
		return err_set(e, INVALID, "Content-Length is '%.32s'; it must be a whole number",
			       text);
	*ret = strtoull(text, NULL, 10);
	return 0;
}

int strict_check(struct MHD_Connection *c, const char *version, struct strict_headers *ret,
		 struct err *e)
{
	struct headers h = {.e = e};
	struct strict_headers s = {0};

	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return err_set(e, INVALID, "the version '%.16s' is not HTTP/1.1", version);
	MHD_get_connection_values_n(c, MHD_HEADER_KIND, look, &h);
	if (h.result < 0)
		return -1;
	if (h.count[TRANSFER_ENCODING] && h.count[CONTENT_LENGTH])
		return err_set(e, INVALID,
			       "Content-Length and Transfer-Encoding contradict each other");
	if (h.count[TRANSFER_ENCODING] && strcasecmp(h.value[TRANSFER_ENCODING], "chunked") != 0)
		return err_set(e, INVALID, "Transfer-Encoding is '%.32s'; only 'chunked' is known",
			       h.value[TRANSFER_ENCODING]);
	if (h.count[CONTENT_LENGTH] && read_length(h.value[CONTENT_LENGTH], &s.length, e) < 0)
		return -1;
	s.is_chunked = h.count[TRANSFER_ENCODING] != 0;
	s.has_body = s.is_chunked || s.length;
	s.wants_continue = h.count[EXPECT] && !strcasecmp(h.value[EXPECT], "100-continue");
	*ret = s;
	return 0;
}
