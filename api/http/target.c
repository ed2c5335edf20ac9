/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http/target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"

static unsigned digit(char c)
{
	return (unsigned)(isdigit((unsigned char)c) ? c - '0'
						    : tolower((unsigned char)c) - 'a' + 10);
}

int target_decode(const char *s, size_t n, char *ret, size_t cap, struct err *e)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '%') {
			if (n - i < 3 || !isxdigit((unsigned char)s[i + 1]) ||
			    !isxdigit((unsigned char)s[i + 2]))
				return err_set(
					e, INVALID,
					"a '%%' of the request's target is not followed by two "
					"hexadecimal digits");
			c = (unsigned char)(digit(s[i + 1]) << 4 | digit(s[i + 2]));
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return err_set(e, INVALID,
				       "the request's target holds a control byte (0x%02x)", c);
		if (out + 1 >= cap)
			return err_set(e, INVALID,
				       "a part of the request's target is longer than %zu bytes",
				       cap - 1);
		ret[out++] = (char)c;
	}
	ret[out] = '\0';
	return 0;
}

/* RFC 9112, 3.2.2: a server takes the absolute form, too; whose name it gives is the same to us. */
static const char *origin_form(const char *target)
{
	static const char *const scheme[] = {"http://", "https://"};

	for (size_t i = 0; i < NELEMS(scheme); i++) {
		size_t n = strlen(scheme[i]), name = 0;

		if (strncasecmp(target, scheme[i], n) == 0)
			name = strcspn(target + n, "/?#");
		if (name && target[n + name] == '/')
			return target + n + name;
	}
	return target;
}

int target_path(const char *target, char ret[static TARGET_PATH], const char **ret_query,
		struct err *e)
{
	size_t n;

	target = origin_form(target);
	n = strcspn(target, "?");
	if (target[0] != '/')
		return err_set(e, INVALID, "the request's target '%.64s' does not begin with '/'",
			       target);
	for (size_t i = 0; i + 2 < n; i++)
		if (target[i] == '%' && target[i + 1] == '2' &&
		    tolower((unsigned char)target[i + 2]) == 'f')
			return err_set(e, INVALID, "the path holds an escaped '/' (%%2F)");
	if (target_decode(target, n, ret, TARGET_PATH, e) < 0)
		return -1;
	*ret_query = target[n] ? target + n + 1 : target + n;
	return 0;
}
