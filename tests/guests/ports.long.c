/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports - writes and reads the data register of a parallel port of the host at 0x378, and reads the one
 * beside it, its status, which is not passed.
 */
#include "port.h"
#include "power.h"
#include "pvh.h"
#include "say.h"

enum { DATA = 0x378, STATUS = 0x379 };

void guest_main(const struct pvh_info *info)
{
	(void)info;
	port_out8(DATA, 0xa5);
	say("data %x\n", (uint64_t)port_in8(DATA));
	port_out8(DATA, 0x5a);
	say("data %x\n", (uint64_t)port_in8(DATA));
	say("beside %x\n", (uint64_t)port_in8(STATUS));
	power_off();
}
