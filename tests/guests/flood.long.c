/* SPDX-License-Identifier: Apache-2.0 */
/* flood - numbered lines on the serial port, as fast as it goes: lines=N and then power off, or for
 * ever. */
#include "power.h"
#include "pvh.h"
#include "ring3.h"
#include "uart.h"

static uint64_t lines;

static uint64_t append(char *text, uint64_t at, const char *s)
{
	while (*s)
		text[at++] = *s++;
	return at;
}

static uint64_t append_number(char *text, uint64_t at, uint64_t v)
{
	char digit[20];
	unsigned n = 0;

	do {
		digit[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		text[at++] = digit[--n];
	return at;
}

static void flood(void)
{
	static char text[96];

	for (uint64_t n = 0; !lines || n < lines; n++) {
		uint64_t length = append(text, 0, "flood ");

		length = append_number(text, length, n);
		length = append(text, length, ": the quick brown fox jumps over the lazy dog\r\n");
		uart_put_all(text, length);
	}
	power_off();
}

void guest_main(const struct pvh_info *info)
{
	lines = pvh_number(info, "lines", 0);
	ring3_enter(flood);
}
