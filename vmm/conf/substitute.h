/* SPDX-License-Identifier: Apache-2.0 */
/*
 * substitute.h - $env{NAME} inside configuration text. Worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conf_source;

struct substitution {
	size_t bytes;	   /* of the text it stands for; at least 1 */
	const char *value; /* NULL: the `$` is a plain character */
	bool is_refused;   /* what and hint say why */
	char what[240], hint[240];
};

/* What stands at the `$` that s points to; n bytes are left. */
struct substitution substitute(const struct conf_source *source, const char *s, size_t n);
/* What a value holds that would need a rule the language does not have ("white space"), or NULL. */
const char *substitute_odd(const char *value, bool is_in_quotes);
