/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outport - writes a word to an I/O port, says what it reads there and powers off.
 *
 * Command line: port=NUMBER value=NUMBER (decimal).
 */
#include "port.h"
#include "pvh.h"
#include "say.h"

void guest_main(const struct pvh_info *info)
{
	const uint16_t port = (uint16_t)pvh_number(info, "port", 0x5a0);
	const uint16_t value = (uint16_t)pvh_number(info, "value", 0);

	say("outport: writes %x to port %x\n", (uint64_t)value, (uint64_t)port);
	port_out16(port, value);
	say("outport: it reads %x\n", (uint64_t)port_in8(port));
}
