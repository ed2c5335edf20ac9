/* SPDX-License-Identifier: Apache-2.0 */
#include "client/choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "client/contexts.h"
#include "client/http.h"

#define SYSTEM_HOST "unix:/run/qvm/api.sock"
enum { SECRET = 256 };

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static struct http_server from_env(const char *host)
{
	return (struct http_server){
		.host = host,
		.token = env("QVM_TOKEN"),
		.cacert = env("QVM_CACERT"),
		.cert = env("QVM_CERT"),
		.key = env("QVM_KEY"),
	};
}

static int read_secret(const char *path, char secret[static SECRET], struct err *e)
{
	AUTO_FILE FILE *f = fopen(path, "re");
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0)
		return err_sys(e, RESOURCE, "open the token file '%s'", path);
	if (st.st_mode & 007)
		return err_set(e, INVALID,
			       "everybody can read the token file '%s'; chmod 600 it, and "
			       "make a new token if others are on this host",
			       path);
	if (!fgets(secret, SECRET, f))
		return err_set(e, INVALID,
			       "the token file '%s' is empty; it holds the secret that "
			       "`qvmadm token create` prints",
			       path);
	secret[strcspn(secret, " \t\r\n")] = '\0';
	return 0;
}

static int open_context(const struct context *x, struct http **ret, struct err *e)
{
	struct http_server s = from_env(x->field[CONTEXT_HOST]);
	char secret[SECRET];

	s.context = x->name;
	if (x->field[CONTEXT_TOKEN_FILE]) {
		if (read_secret(x->field[CONTEXT_TOKEN_FILE], secret, e) < 0)
			return err_set_at(e, e->code, 0, __FILE__, __LINE__, "context '%s': %s",
					  x->name, e->msg);
		s.token = secret;
	}
	s.cacert = x->field[CONTEXT_CACERT] ? x->field[CONTEXT_CACERT] : s.cacert;
	s.cert = x->field[CONTEXT_CERT] ? x->field[CONTEXT_CERT] : s.cert;
	s.key = x->field[CONTEXT_KEY] ? x->field[CONTEXT_KEY] : s.key;
	return http_open(&s, ret, e);
}

/* The folder of contexts may have no name: that matters only to who asked for one. */
static bool has_place(void)
{
	return env("XDG_CONFIG_HOME") || env("HOME");
}

int choice_open(const char *host, const char *context, struct http **ret, struct err *e)
{
	AUTO_CONTEXTS struct contexts *all = NULL;
	struct http_server s;
	struct context *x;

	if (host && context)
		return err_set(e, USAGE, "-H and --context both name a host; give one");
	if (!host && !context)
		host = env("QVM_HOST");
	if (!host && !context)
		context = env("QVM_CONTEXT");
	if (!host && (context || has_place())) {
		if (contexts_read(&all, e) < 0)
			return -1;
		if (!context && *all->current)
			context = all->current;
		if (context)
			return contexts_find(all, context, &x, e) < 0 ? -1
								      : open_context(x, ret, e);
	}
	s = from_env(host ? host : SYSTEM_HOST);
	return http_open(&s, ret, e);
}
