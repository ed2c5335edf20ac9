/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/auto.h"
#include "daemon/store/store.h"
#include "schemas/absent.h"

enum { SECRET_BYTES = 32 };

void token_make_secret(struct token *t, char ret[static MESSAGE_SECRET])
{
	static const char prefix[] = "qvm_"; /* so that scanners for lost secrets know it */
	unsigned char random[SECRET_BYTES];
	size_t n = sizeof prefix - 1;

	_Static_assert(sizeof prefix + 2 * SECRET_BYTES <= MESSAGE_SECRET, "it fits");
	if (getrandom(random, sizeof random, 0) != sizeof random)
		abort();
	memcpy(ret, prefix, sizeof prefix);
	for (size_t i = 0; i < sizeof random; i++, n += 2)
		snprintf(ret + n, 3, "%02x", random[i]);
	explicit_bzero(random, sizeof random);
	digest_hex(ret, n, t->hash);
}

static int is_there(struct store *s, const char *name, int64_t *ret, struct err *e)
{
	return store_number(s, "SELECT count(*) FROM token WHERE name = ?", &STORE_TEXT(name), 1, 0,
			    ret, e);
}

int token_insert(struct store *s, const struct token *t, struct err *e)
{
	int64_t n = 0;

	if (is_there(s, t->name, &n, e) < 0)
		return -1;
	if (n)
		return err_set(e, CONFLICT,
			       "there is a token '%s' already; delete it first, or take another "
			       "name",
			       t->name);
	return STORE_RUN(s, e,
			 "INSERT INTO token (name, kind, hash, role, vms, created_ms, expires_ms, "
			 "uid) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			 STORE_TEXT(t->name),
			 STORE_TEXT(t->is_certificate ? "certificate" : "bearer"),
			 STORE_TEXT(t->hash), STORE_TEXT(role_id(t->role)), STORE_TEXT(t->vms),
			 STORE_INT(t->created_ms), STORE_INT(t->expires_ms), STORE_INT(t->uid));
}

int token_renew(struct store *s, const struct token *t, struct err *e)
{
	int64_t n = 0;

	if (is_there(s, t->name, &n, e) < 0)
		return -1;
	if (!n)
		return err_set(e, CONFLICT,
			       "this request made the token '%s', which has been deleted since",
			       t->name);
	return STORE_RUN(s, e, "UPDATE token SET hash = ? WHERE name = ?", STORE_TEXT(t->hash),
			 STORE_TEXT(t->name));
}

int token_delete(struct store *s, const char *name, struct err *e)
{
	int64_t n = 0;

	if (is_there(s, name, &n, e) < 0)
		return -1;
	if (!n)
		return absent_token(name, e);
	return STORE_RUN(s, e, "DELETE FROM token WHERE name = ?", STORE_TEXT(name));
}
