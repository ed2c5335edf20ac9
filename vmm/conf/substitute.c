/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/substitute.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/conf/conf.h"
#include "vmm/conf/utf8.h"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz_";
static const char letter[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

static size_t span(const char *s, size_t n, const char *set)
{
	size_t i = 0;

	while (i < n && s[i] && strchr(set, s[i]))
		i++;
	return i;
}

__attribute__((format(printf, 3, 4))) static void refuse(struct substitution *s, const char *hint,
							 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->what, sizeof s->what, fmt, ap);
	va_end(ap);
	snprintf(s->hint, sizeof s->hint, "%s", hint);
	s->is_refused = true;
}

static void environment(struct substitution *s, const struct conf_source *source, const char *name)
{
	char hint[240];

	if (!source->env) {
		refuse(s, "write the value itself",
		       "environment variable '%s' is not known here: a supervised VM has no "
		       "environment",
		       name);
		return;
	}
	s->value = source->env(name);
	if (!s->value) {
		snprintf(hint, sizeof hint, "set it where qvm is started: %s=VALUE qvm ...", name);
		refuse(s, hint, "environment variable '%s' is not set", name);
	}
}

struct substitution substitute(const struct conf_source *source, const char *s, size_t n)
{
	struct substitution ret = {.bytes = 1};
	size_t word = span(s + 1, n - 1, lower), open = 1 + word, name;
	char text[64];

	if (word == 0 || open >= n || s[open] != '{')
		return ret;
	name = span(s + open + 1, n - open - 1, letter);
	ret.bytes = open + 1 + name;
	if (ret.bytes >= n || s[ret.bytes] != '}') {
		refuse(&ret, "write it as $env{NAME}, NAME of letters, digits and underscores",
		       "this substitution has no closing brace behind its name");
		return ret;
	}
	ret.bytes++;
	snprintf(text, sizeof text, "%.*s", (int)name, s + open + 1);
	if (word == 3 && !memcmp(s + 1, "env", 3)) {
		if (name == 0 || name >= sizeof text)
			refuse(&ret, "write it as $env{NAME}, NAME of 1 to 63 characters",
			       "this substitution names no environment variable");
		else
			environment(&ret, source, text);
	} else if ((word == 12 && !memcmp(s + 1, "asinfo_start", 12)) ||
		   (word == 13 && !memcmp(s + 1, "asinfo_length", 13))) {
		refuse(&ret, "write the address itself; /proc/iomem shows the host's map",
		       "$%.*s{} reads the system page of a QNX host; a Linux host has none",
		       (int)word, s + 1);
	} else {
		refuse(&ret, "the one substitution is $env{NAME}",
		       "$%.*s{} is no substitution that is known", (int)(word < 40 ? word : 40),
		       s + 1);
	}
	return ret;
}

const char *substitute_odd(const char *value, bool is_in_quotes)
{
	size_t n = strlen(value);

	for (size_t i = 0; i < n;) {
		size_t bytes = utf8_char(value + i, n - i);

		if (value[i] == '\n' || value[i] == '\r')
			return "a newline";
		if (bytes == 0)
			return "bytes that are no UTF-8 text";
		i += bytes;
	}
	if (is_in_quotes)
		return NULL;
	if (strpbrk(value, " \t"))
		return "white space";
	return strpbrk(value, "\"#\\") ? "a quote, `#` or backslash" : NULL;
}
