/* SPDX-License-Identifier: Apache-2.0 */
#include "api/page/page.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/http/origin.h"
#include "api/http/request.h"
#include "api/http/strict.h"
#include "base/auto.h"
#include "base/digest.h"
#include "base/str.h"

enum { TAG = 24 };

struct page_asset {
	const char *path, *type, *bytes, *end;
};

/* The assembler includes the files themselves. */
#define ASSET(symbol, path, type, file)                                                            \
	__asm__(".pushsection .rodata\n"                                                           \
		"page_" #symbol ":\n"                                                              \
		".incbin \"" file "\"\n"                                                           \
		"page_" #symbol "_end:\n"                                                          \
		".popsection\n");                                                                  \
	extern const char page_##symbol[], page_##symbol##_end[];
#include "api/page/assets.def"
#undef ASSET

static const struct page_asset assets[] = {
#define ASSET(symbol, path_, type_, file)                                                          \
	{.path = path_, .type = type_, .bytes = page_##symbol, .end = page_##symbol##_end},
#include "api/page/assets.def"
#undef ASSET
};

struct pages {
	char tag[NELEMS(assets)][TAG]; /* of each asset, in quotes */
};

/* Nothing but what this program serves: no script or style in a document, nothing of other hosts, no
 * frame around it, no text that becomes markup. */
static const struct {
	const char *name, *value;
} guards[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	 "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	 "require-trusted-types-for 'script'; trusted-types 'none'"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
};

static size_t size_of(const struct page_asset *a)
{
	return (size_t)(a->end - a->bytes);
}

struct pages *pages_new(void)
{
	struct pages *p = calloc(1, sizeof *p);
	char hash[DIGEST_HEX];

	if (!p)
		abort();
	for (size_t i = 0; i < NELEMS(assets); i++) {
		digest_hex(assets[i].bytes, size_of(&assets[i]), hash);
		snprintf(p->tag[i], TAG, "\"%.16s\"", hash);
	}
	return p;
}

void pages_free(struct pages *p)
{
	free(p);
}

const struct page_asset *page_find(const char *path)
{
	for (size_t i = 0; i < NELEMS(assets); i++)
		if (!strcmp(path, assets[i].path))
			return &assets[i];
	return NULL;
}

int page_admit(struct request *r, const char *method, const struct strict_headers *h, struct err *e)
{
	bool is_head = !strcmp(method, "HEAD"), is_asking = !strcmp(method, "OPTIONS");
	struct origin o;

	origin_read(r->connection, &o);
	if (origin_check_host(&o, e) < 0)
		return -1;
	if (h->has_body)
		return err_set(e, INVALID, "a file of the page takes no body; send none");
	r->is_head = is_head;
	if (!strcmp(method, "GET") || is_head)
		return 0;
	str_copy(r->allow, sizeof r->allow, "GET, HEAD, OPTIONS");
	if (is_asking)
		return 0;
	return err_set(e, METHOD, "a file of the page has no method '%.16s'; it has %s", method,
		       r->allow);
}

void page_answer(struct request *r)
{
	const struct page_asset *a = r->asset;
	const char *tag = r->api->pages->tag[a - assets];
	const char *known =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "If-None-Match");

	if (known && strstr(known, tag))
		request_answer_nothing(r, 304);
	else
		request_answer_static(r, a->type, a->bytes, size_of(a));
	/* Each look asks whether it is still the file of the program that answers. */
	MHD_del_response_header(r->response, "Cache-Control", "no-store");
	request_header(r, "Cache-Control", "no-cache");
	request_header(r, "ETag", tag);
	for (size_t i = 0; i < NELEMS(guards); i++)
		request_header(r, guards[i].name, guards[i].value);
}
