/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests a browser has sent on behalf of another site. */
#include "api/http/origin.h"
#include "base/auto.h"
#include "tests/unit/test.h"

#define MOZILLA "Mozilla/5.0 (X11; Linux x86_64)"
#define ID	"0123456789abcdef"

static const struct {
	const char *what;
	struct origin o;
	bool changes_something;
	int code; /* 0 = it is let in */
} cases[] = {
	{"curl", {.host = "qvm", .agent = "curl/8", .is_local = true}, true, 0},
	{"a program without any header", {.is_local = true}, true, 0},
	{"the page itself, ssh -L",
	 {.host = "localhost:8080",
	  .origin = "http://localhost:8080",
	  .site = "same-origin",
	  .agent = MOZILLA,
	  .request_id = ID,
	  .is_local = true},
	 true,
	 0},
	{"the page itself behind a proxy",
	 {.host = "localhost",
	  .origin = "https://vms.example.com",
	  .site = "same-origin",
	  .request_id = ID,
	  .is_local = true},
	 true,
	 0},
	{"an address that was typed in",
	 {.host = "127.0.0.1:8080", .site = "none", .agent = MOZILLA, .is_local = true},
	 false,
	 0},
	{"IPv6", {.host = "[::1]:8080", .is_local = true}, false, 0},
	{"a name below localhost", {.host = "qvm.localhost:1", .is_local = true}, false, 0},
	{"a name made to mean this machine",
	 {.host = "evil.example:8080", .is_local = true},
	 false,
	 ERR_ORIGIN},
	{"localhost as another's subdomain",
	 {.host = "localhost.evil.example", .is_local = true},
	 false,
	 ERR_ORIGIN},
	{"that name over TLS: its certificate says", {.host = "vms.example.com"}, false, 0},
	{"another site reads", {.host = "localhost", .site = "cross-site"}, false, ERR_ORIGIN},
	{"another port of localhost",
	 {.host = "localhost:8080", .site = "same-site", .request_id = ID},
	 true,
	 ERR_ORIGIN},
	{"an older browser, another site",
	 {.host = "localhost:8080", .origin = "http://evil.example", .request_id = ID},
	 true,
	 ERR_ORIGIN},
	{"an older browser, another port",
	 {.host = "localhost:8080", .origin = "http://localhost:9", .request_id = ID},
	 true,
	 ERR_ORIGIN},
	{"an older browser, the page itself",
	 {.host = "LOCALHOST:8080", .origin = "http://localhost:8080", .request_id = ID},
	 true,
	 0},
	{"a sandboxed frame", {.host = "localhost", .origin = "null"}, false, ERR_ORIGIN},
	{"a form of a browser that says nothing",
	 {.host = "localhost", .agent = MOZILLA},
	 true,
	 ERR_ORIGIN},
	{"the same with a referrer alone",
	 {.host = "localhost", .referer = "http://evil.example/"},
	 true,
	 ERR_ORIGIN},
	{"the same, only to look", {.host = "localhost", .agent = MOZILLA}, false, 0},
	{"a tool that calls itself a browser, with a token",
	 {.host = "vms.example.com", .agent = MOZILLA, .has_token = true},
	 true,
	 0},
};

TEST(origin_lets_programs_and_the_page_in_and_no_other_site)
{
	for (size_t i = 0; i < NELEMS(cases); i++) {
		struct err e = {0};
		int result = origin_check(&cases[i].o, cases[i].changes_something, &e);

		if ((result < 0) != (cases[i].code != 0) ||
		    (result < 0 && (int)e.code != cases[i].code))
			fail_msg("%s: %d %s", cases[i].what, result, e.msg);
	}
}
