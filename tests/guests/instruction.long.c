/* SPDX-License-Identifier: Apache-2.0 */
/* instruction - popcnt on memory that nobody answers: KVM has to emulate it, and cannot. */
#include "pvh.h"
#include "say.h"
#include "trap.h"

void guest_main(const struct pvh_info *info)
{
	uint32_t value = 0;
	int trap;

	trap_load();
	say("an instruction that cannot be emulated follows\n");
	trap = trap_popcnt(pvh_number(info, "memory", 0xd0000000), &value);
	if (trap == TRAP_NONE)
		say("it gave 0x%x\n", (uint64_t)value);
	else
		say("it raised %s\n", trap_name(trap));
}
