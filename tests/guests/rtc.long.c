/* SPDX-License-Identifier: Apache-2.0 */
/* rtc - tells the time of the board's clock (MC146818 data sheet; century at 0x32 as on a PC). */
#include "port.h"
#include "pvh.h"
#include "say.h"

enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, A = 10, B = 11 };
enum { CENTURY = 0x32, A_UPDATING = 1 << 7, B_BINARY = 1 << 2, B_24H = 1 << 1, PM = 1 << 7 };

static unsigned cmos(unsigned reg)
{
	port_out8(0x70, (uint8_t)reg);
	return port_in8(0x71);
}

static unsigned number(unsigned reg)
{
	const unsigned v = cmos(reg);

	return cmos(B) & B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static unsigned hours(void)
{
	const unsigned raw = cmos(HOURS);
	unsigned h;

	if (cmos(B) & B_24H)
		return number(HOURS);
	h = cmos(B) & B_BINARY ? raw & 0x7f : (raw >> 4 & 7) * 10 + (raw & 15);
	return h % 12 + (raw & PM ? 12 : 0);
}

void guest_main(const struct pvh_info *info)
{
	unsigned second;

	(void)info;
	if (cmos(A) == 0xff && cmos(B) == 0xff) {
		say("rtc: the board has no clock\n");
		return;
	}
	do { /* a reading that a second's turn cuts in two is thrown away */
		while (cmos(A) & A_UPDATING)
			;
		second = number(SECONDS);
		say("rtc: %u%2-%2-%2 %2:%2:%2\n", number(CENTURY), number(YEAR), number(MONTH),
		    number(DAY), hours(), number(MINUTES), second);
	} while (number(SECONDS) != second);
}
