/* SPDX-License-Identifier: Apache-2.0 */
#include "api/view/object.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"

json_t *object_must(json_t *j)
{
	if (!j)
		abort();
	return j;
}

json_t *object_new(void)
{
	return object_must(json_object());
}

json_t *object_list(void)
{
	return object_must(json_array());
}

static void put(json_t *o, enum field f, enum field_kind kind, json_t *take_value)
{
	assert(resource_fields[f].kind == kind);
	assert(!json_is_null(take_value) || resource_fields[f].presence == FIELD_NULLABLE);
	if (json_object_set_new_nocheck(o, resource_fields[f].name, object_must(take_value)) < 0)
		abort();
}

/* Bytes of the UTF-8 sequence at s (RFC 3629), 0 when there is none. */
static size_t sequence(const unsigned char *s, size_t n)
{
	unsigned char lead = s[0], low = 0x80, high = 0xbf;
	size_t more = lead < 0x80 ? 0 : lead < 0xc2 ? n : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

	if (lead > 0xf4 || more >= n)
		return 0;
	if (lead == 0xe0)
		low = 0xa0; /* an overlong form */
	else if (lead == 0xed)
		high = 0x9f; /* a surrogate */
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f; /* behind U+10FFFF */
	for (size_t i = 1; i <= more; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return more + 1;
}

json_t *object_string(const char *s, size_t n)
{
	static const char replacement[] = "\xef\xbf\xbd";
	AUTO_FREE char *clean = malloc(3 * n + 1);
	size_t out = 0;

	if (!clean)
		abort();
	for (size_t i = 0, step; i < n; i += step) {
		step = sequence((const unsigned char *)s + i, n - i);
		memcpy(clean + out, step ? s + i : replacement, step ? step : 3);
		out += step ? step : 3;
		step += !step;
	}
	return object_must(json_stringn_nocheck(clean, out));
}

void object_bytes(json_t *o, enum field f, const char *s, size_t n)
{
	put(o, f, FIELD_TEXT, object_string(s, n));
}

void object_text(json_t *o, enum field f, const char *s)
{
	object_bytes(o, f, s, strlen(s));
}

void object_int(json_t *o, enum field f, int64_t v)
{
	put(o, f, FIELD_INTEGER, json_integer(v));
}

int64_t object_number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

void object_count(json_t *o, enum field f, uint64_t n)
{
	object_int(o, f, object_number(n));
}

void object_bool(json_t *o, enum field f, bool v)
{
	put(o, f, FIELD_BOOL, json_boolean(v));
}

void object_hex(json_t *o, enum field f, uint64_t v)
{
	char digits[24];

	snprintf(digits, sizeof digits, "0x%" PRIx64, v);
	put(o, f, FIELD_HEX, json_string(digits));
}

void object_word(json_t *o, enum field f, const char *word)
{
	put(o, f, FIELD_WORD, object_string(word, strlen(word)));
}

void object_time(json_t *o, enum field f, int64_t wall_ms)
{
	bool is_null = wall_ms == 0 && resource_fields[f].presence == FIELD_NULLABLE;
	char text[CLOCK_ISO];

	put(o, f, FIELD_TIME, is_null ? json_null() : json_string(clock_iso(wall_ms, text)));
}

void object_take(json_t *o, enum field f, json_t *take_value)
{
	put(o, f, resource_fields[f].kind, take_value);
}

void object_append(json_t *list, json_t *take_value)
{
	if (json_array_append_new(list, object_must(take_value)) < 0)
		abort();
}

const char *object_kind(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return "a string";
	case JSON_INTEGER: return "a whole number";
	case JSON_REAL: return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE: return "true or false";
	case JSON_NULL: break;
	}
	return "null";
}
