/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdarg.h>
#include <stdint.h>

#include "uart.h"

static void put_number(uint64_t v, unsigned base, unsigned digits)
{
	char text[20];
	unsigned n = 0;

	do {
		text[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v || n < digits);
	while (n)
		uart_put(text[--n]);
}

static void put_string(const char *s)
{
	while (*s)
		uart_put(*s++);
}

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	for (const char *p = format; *p; p++) {
		if (*p == '\n')
			uart_put('\r');
		if (*p != '%') {
			uart_put(*p);
			continue;
		}
		switch (*++p) {
		case 's': put_string(va_arg(ap, const char *)); break;
		case 'c': uart_put((char)va_arg(ap, int)); break;
		case 'u': put_number(va_arg(ap, unsigned), 10, 1); break;
		case 'U': put_number(va_arg(ap, uint64_t), 10, 1); break;
		case '2': put_number(va_arg(ap, unsigned), 10, 2); break;
		case 'x': put_number(va_arg(ap, uint64_t), 16, 1); break;
		default: uart_put(*p); break;
		}
	}
	va_end(ap);
}
