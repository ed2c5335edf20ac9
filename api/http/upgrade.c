/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/upgrade.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define GUID	     "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define TOKEN_PREFIX "qvm.token."

enum { KEY = 24, SHA1 = 20 };

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* The next element of a list "a, b"; NULL at its end. */
static const char *element(const char **at, size_t *ret_n)
{
	const char *s = *at ? *at + strspn(*at, " \t,") : "";
	size_t n = strcspn(s, ",");

	*at = s + n;
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	*ret_n = n;
	return n ? s : NULL;
}

static bool names(const char *list, const char *word)
{
	const char *s;
	size_t n;

	while ((s = element(&list, &n)))
		if (n == strlen(word) && !strncasecmp(s, word, n))
			return true;
	return false;
}

void upgrade_accept(const char *key, char ret[static UPGRADE_ACCEPT])
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[KEY + sizeof GUID];
	unsigned char d[SHA1 + 1] = {0};
	size_t n = 0;

	snprintf(text, sizeof text, "%.*s" GUID, KEY, key);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), d) < 0)
		abort(); /* RFC 6455 needs it for no secret */
	for (size_t i = 0; i < SHA1; i += 3) {
		unsigned three = (unsigned)d[i] << 16 |
				 (i + 1 < SHA1 ? (unsigned)d[i + 1] << 8 : 0) |
				 (i + 2 < SHA1 ? d[i + 2] : 0);

		for (unsigned shift = 24; shift; n++)
			ret[n] = digit[three >> (shift -= 6) & 63];
	}
	ret[UPGRADE_ACCEPT - 2] = '=';
	ret[UPGRADE_ACCEPT - 1] = '\0';
}

static bool is_key(const char *key)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return key && strlen(key) == KEY && strspn(key, base64) == KEY - 2 &&
	       !strcmp(key + KEY - 2, "==");
}

int upgrade_judge(struct MHD_Connection *c, char ret_accept[static UPGRADE_ACCEPT],
		  bool *ret_is_named, struct err *e)
{
	const char *version = header(c, "Sec-WebSocket-Version");
	const char *key = header(c, "Sec-WebSocket-Key");

	if (!names(header(c, "Upgrade"), "websocket") || !names(header(c, "Connection"), "upgrade"))
		return err_set(e, INVALID,
			       "this is a WebSocket: send Upgrade: websocket and Connection: "
			       "Upgrade, or read the console without /ws, with follow=1");
	if (!version || strcmp(version, UPGRADE_VERSION) != 0)
		return err_set(
			e, INVALID,
			"Sec-WebSocket-Version is '%.16s'; this server speaks " UPGRADE_VERSION
			" alone",
			version ? version : "");
	if (!is_key(key))
		return err_set(e, INVALID,
			       "Sec-WebSocket-Key is not 16 bytes in base64 (RFC 6455, 4.1)");
	upgrade_accept(key, ret_accept);
	*ret_is_named = names(header(c, "Sec-WebSocket-Protocol"), UPGRADE_PROTOCOL);
	return 0;
}

bool upgrade_token(struct MHD_Connection *c, char ret[static UPGRADE_TOKEN])
{
	const char *list = header(c, "Sec-WebSocket-Protocol"), *s;
	size_t n, prefix = strlen(TOKEN_PREFIX);

	while ((s = element(&list, &n))) {
		if (n <= prefix || n - prefix >= UPGRADE_TOKEN || strncmp(s, TOKEN_PREFIX, prefix))
			continue;
		snprintf(ret, UPGRADE_TOKEN, "%.*s", (int)(n - prefix), s + prefix);
		return true;
	}
	return false;
}
