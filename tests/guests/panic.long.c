/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic - asks the board's pvpanic what it takes and tells it event=N (1: it has panicked; 2: it starts
 * a crash kernel).
 */
#include "port.h"
#include "pvh.h"
#include "say.h"

enum { PVPANIC = 0x505, PANICKED = 1 };

void guest_main(const struct pvh_info *info)
{
	const uint8_t event = (uint8_t)pvh_number(info, "event", PANICKED);

	say("panic: the board takes %x, I tell it %x\n", (uint64_t)port_in8(PVPANIC),
	    (uint64_t)event);
	port_out8(PVPANIC, event);
	say("panic: and go on\n");
}
