/* SPDX-License-Identifier: Apache-2.0 */
/* flood - numbered lines on the serial port, as fast as it goes: lines=N and then power off, or for
 * ever. */
#include "power.h"
#include "pvh.h"
#include "ring3.h"
#include "say.h"

static uint64_t lines;

static void flood(void)
{
	for (uint64_t n = 0; !lines || n < lines; n++)
		say("flood %U: the quick brown fox jumps over the lazy dog\n", n);
	power_off();
}

void guest_main(const struct pvh_info *info)
{
	lines = pvh_number(info, "lines", 0);
	ring3_enter(flood);
}
