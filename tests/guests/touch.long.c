/* SPDX-License-Identifier: Apache-2.0 */
/*
 * touch - touches memory and a port that nobody answers and reports what came of it.
 * memory=ADDRESS and port=NUMBER (decimal) pick other places.
 */
#include "pvh.h"
#include "say.h"
#include "trap.h"

static void report(const char *what, uint64_t where, int trap, uint64_t value)
{
	if (trap == TRAP_NONE)
		say("%s %x: %x\n", what, where, value);
	else
		say("%s %x: %s\n", what, where, trap_name(trap));
}

void guest_main(const struct pvh_info *info)
{
	const uint64_t gpa = pvh_number(info, "memory", 0xd0000000);
	const uint16_t port = (uint16_t)pvh_number(info, "port", 0x5000);
	uint32_t dword = 0;
	uint8_t byte = 0;
	int trap;

	trap_load();
	trap = trap_read8(gpa, &byte);
	report("memory read", gpa, trap, byte);
	report("memory write", gpa, trap_write8(gpa, 0x5a), 0x5a);
	trap = trap_in32(port, &dword);
	report("port read", port, trap, dword);
	report("port write", port, trap_out32(port, 0x5a5a5a5a), 0x5a5a5a5a);
	say("touched\n");
}
