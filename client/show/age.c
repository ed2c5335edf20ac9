/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/age.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/str.h"

int64_t age_parse(const char *s)
{
	struct tm t = {0};
	char sign = 'Z', end = 0;
	int ms = 0, n = 0, h = 0, m = 0;
	int64_t offset_s;

	if (sscanf(s, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday,
		   &t.tm_hour, &t.tm_min, &t.tm_sec, &n) != 6 ||
	    n == 0)
		return -1;
	s += n;
	if (*s == '.') {
		int scale = 100;

		for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
			ms += (*s - '0') * scale;
	}
	n = sscanf(s, "%c%2d:%2d%c", &sign, &h, &m, &end);
	if (!((n == 1 && !s[1] && (sign == 'Z' || sign == 'z')) || (n == 3 && strchr("+-", sign))))
		return -1;
	offset_s = (h * 60 + m) * 60;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	return ((int64_t)timegm(&t) - (sign == '-' ? -offset_s : offset_s)) * 1000 + ms;
}

static const struct {
	int64_t seconds;
	char letter;
} unit[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

static const char *word(const char *s, char ret[static AGE_TEXT])
{
	str_copy(ret, AGE_TEXT, s);
	return ret;
}

const char *age_text(const char *rfc3339, int64_t now_ms, char ret[static AGE_TEXT])
{
	int64_t at = age_parse(rfc3339), s;
	unsigned u = 0;

	if (at < 0)
		return word("-", ret);
	s = llabs(now_ms - at) / 1000;
	if (s == 0)
		return word(at > now_ms ? "in a moment" : "just now", ret);
	while (s < unit[u].seconds)
		u++;
	snprintf(ret, AGE_TEXT, at > now_ms ? "in %" PRId64 "%c" : "%" PRId64 "%c ago",
		 s / unit[u].seconds, unit[u].letter);
	return ret;
}

const char *age_span(int64_t ms, char ret[static AGE_TEXT])
{
	int64_t s = ms / 1000;

	if (ms < 0)
		return word("-", ret);
	if (ms < 1000)
		snprintf(ret, AGE_TEXT, "%" PRId64 " ms", ms);
	else if (s < 60)
		snprintf(ret, AGE_TEXT, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(ret, AGE_TEXT, "%" PRId64 "m %02" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(ret, AGE_TEXT, "%" PRId64 "h %02" PRId64 "m", s / 3600, s % 3600 / 60);
	else
		snprintf(ret, AGE_TEXT, "%" PRId64 "d %" PRId64 "h", s / 86400, s % 86400 / 3600);
	return ret;
}

const char *age_local(const char *rfc3339, char ret[static AGE_TEXT])
{
	int64_t at = age_parse(rfc3339);
	time_t s = (time_t)(at / 1000);
	struct tm t;
	size_t n;

	if (at < 0 || !localtime_r(&s, &t))
		return word("-", ret);
	n = strftime(ret, AGE_TEXT, "%Y-%m-%d %H:%M:%S", &t);
	snprintf(ret + n, AGE_TEXT - n, ".%03d", (int)(at % 1000));
	return ret;
}

int age_read_span(const char *text, int64_t *ret_ms, struct err *e)
{
	static const struct {
		const char *name;
		int64_t ms;
	} suffix[] = {{"ms", 1},    {"", 1000},	    {"s", 1000},
		      {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	char *end;
	double value = strtod(text, &end);

	for (unsigned i = 0; i < NELEMS(suffix); i++) {
		double ms = value * (double)suffix[i].ms;

		if (strcmp(end, suffix[i].name) != 0 || end == text)
			continue;
		if (!(ms >= 0 && ms <= 3660 * 86400e3))
			break;
		*ret_ms = (int64_t)ms;
		return 0;
	}
	return err_set(
		e, USAGE,
		"'%s' is no length of time; give seconds or a unit, as in 500ms, 30s, 5m, 2h "
		"or 90d, up to 10 years",
		text);
}

/* Wall milliseconds of the local midnight `days` before now. */
static int64_t midnight(int64_t now_ms, int days)
{
	time_t now_s = (time_t)(now_ms / 1000);
	struct tm t;

	localtime_r(&now_s, &t);
	t.tm_hour = t.tm_min = t.tm_sec = 0;
	t.tm_mday -= days;
	t.tm_isdst = -1;
	return (int64_t)mktime(&t) * 1000;
}

/* -1 when it is no local time. */
static int64_t read_local(const char *text)
{
	static const char *const form[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};

	for (size_t i = 0; i < NELEMS(form); i++) {
		struct tm t = {.tm_isdst = -1};
		const char *end = strptime(text, form[i], &t);

		if (end && !*end)
			return (int64_t)mktime(&t) * 1000;
	}
	return -1;
}

int age_read_since(const char *text, int64_t now_ms, int64_t *ret_ms, struct err *e)
{
	int64_t at = !strcmp(text, "today")	  ? midnight(now_ms, 0)
		     : !strcmp(text, "yesterday") ? midnight(now_ms, 1)
						  : read_local(text);
	struct err unused;

	if (at < 0)
		at = age_parse(text);
	if (at >= 0 && at <= now_ms) {
		*ret_ms = now_ms - at;
		return 0;
	}
	if (at >= 0)
		return err_set(e, USAGE, "'%s' is still to come", text);
	if (age_read_span(text, ret_ms, &unused) == 0)
		return 0;
	return err_set(e, USAGE,
		       "'%s' is no time; it is how long ago (10m, 2h, 7d), today, yesterday, "
		       "'2026-01-31 12:00' or RFC 3339",
		       text);
}
