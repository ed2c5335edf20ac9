/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/conf/number.h"

#include <string.h>

struct form {
	const char *noun;
	unsigned base; /* without a prefix */
	bool has_suffix;
};

static int digit(char c, unsigned base)
{
	int value = -1;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < (int)base ? value : -1;
}

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K': return 10;
	case 'm':
	case 'M': return 20;
	case 'g':
	case 'G': return 30;
	default: return 0;
	}
}

/* Bytes of a prefix, and the base it sets. */
static size_t prefix(const char *s, size_t n, unsigned *base)
{
	if (n < 2 || s[0] != '0')
		return 0;
	if (s[1] == 'x' || s[1] == 'X')
		*base = 16;
	else if (s[1] == 'd' || s[1] == 'D')
		*base = 10;
	else
		return 0;
	return 2;
}

static int bad_tail(const struct form *form, const char *s, size_t n, size_t at, unsigned base,
		    struct err *e)
{
	int shown = n > 48 ? 48 : (int)n;
	char tail = s[at];

	if (at == 0)
		return err_set(e, CONFIG, "'%.*s' is not %s", shown, s, form->noun);
	if (form->has_suffix && suffix_shift(tail) && (s[at + 1] == 'B' || s[at + 1] == 'i'))
		return err_set(e, CONFIG, "'%.*s' is not %s: write the suffix as '%c' alone", shown,
			       s, form->noun, tail);
	if (tail == 'T' || tail == 't')
		return err_set(e, CONFIG, "'%.*s' is not %s: there is no suffix T; 1T is 1024G",
			       shown, s, form->noun);
	if (base == 10 && digit(tail, 16) >= 0)
		return err_set(e, CONFIG,
			       "'%.*s' is not %s: '%c' is a hexadecimal digit, which needs the "
			       "prefix 0x",
			       shown, s, form->noun, tail);
	return err_set(e, CONFIG, "'%.*s' is not %s: it goes wrong at its character %zu", shown, s,
		       form->noun, at + 1);
}

static int read_number(const struct form *form, const char *s, size_t n, uint64_t *ret,
		       struct err *e)
{
	unsigned base = form->base, shift = 0;
	size_t i = prefix(s, n, &base), first = i;
	uint64_t value = 0;
	bool overflows = false;

	if (n == 0)
		return err_set(e, CONFIG, "%s is missing here", form->noun);
	for (; i < n && digit(s[i], base) >= 0; i++)
		overflows |= __builtin_mul_overflow(value, base, &value) ||
			     __builtin_add_overflow(value, (uint64_t)digit(s[i], base), &value);
	if (i == first)
		return bad_tail(form, s, n, i == n ? 0 : i, base, e);
	if (i + 1 == n && form->has_suffix && suffix_shift(s[i])) {
		shift = suffix_shift(s[i]);
		i++;
	}
	if (i < n)
		return bad_tail(form, s, n, i, base, e);
	if (overflows || value > UINT64_MAX >> shift)
		return err_set(e, CONFIG, "'%.*s' does not fit into 64 bits", n > 48 ? 48 : (int)n,
			       s);
	*ret = value << shift;
	return 0;
}

int number_address(const char *s, size_t n, uint64_t *ret, struct err *e)
{
	static const struct form form = {"an address", 16, true};

	return read_number(&form, s, n, ret, e);
}

int number_size(const char *s, size_t n, uint64_t *ret, struct err *e)
{
	static const struct form form = {"a size", 10, true};

	return read_number(&form, s, n, ret, e);
}

int number_plain(const char *s, size_t n, uint64_t *ret, struct err *e)
{
	static const struct form form = {"a number", 10, false};

	return read_number(&form, s, n, ret, e);
}

bool number_is_ambiguous(const char *s, size_t n)
{
	unsigned base = 16;
	size_t i = 0;

	if (prefix(s, n, &base))
		return false;
	while (i < n && s[i] == '0')
		i++;
	s += i;
	n -= i;
	for (i = 0; i < n && digit(s[i], 10) >= 0; i++)
		;
	return i > 1 && (i == n || (i + 1 == n && suffix_shift(s[i])));
}
